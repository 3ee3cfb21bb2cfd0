"""What a dataset contains, and how diverse it is: counted from its file, and asked of its state database.

`dataset` reads, `report` tells it in words and as JSON. It imports `terminal`, `storage`, `quality`, `people`,
`language` and `core`.
"""
