"""What is on the disk: the state database, which is the truth about a run, and the output, its projection.

`database` opens both and keeps them together, `journal` commits, and each other module has the rows or the file of one
thing. It imports `quality` for the verdicts that it keeps, `conversation`, `people` and `core`.
"""
