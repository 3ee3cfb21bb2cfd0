"""What a dataset contains, how diverse it is, and what could be learned from it instead of looking.

Counted from its file, and asked of its state database: `dataset` reads, `report` tells it in words and as JSON.
`planned` tells of what a run will draw, for the command `plan`.
It imports `terminal`, `engine`, `storage`, `quality`, `config`, `people`, `language` and `core`.
"""
