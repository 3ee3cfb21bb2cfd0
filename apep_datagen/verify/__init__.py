"""Checking a finished dataset once more: from its file, and against what its state database says was written.

`verification` puts together what the others find, `report` tells it in words and as JSON. It imports `quality`,
`storage`, `config` and `core`.
"""
