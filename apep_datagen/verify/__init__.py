"""Checking a finished dataset once more: from its file, and against what its state database says was written.

`verification` begins with how the other modules work together; `report` tells what they find, in words and as JSON.
It imports `quality`, `storage`, `config`, `language` and `core`.
"""
