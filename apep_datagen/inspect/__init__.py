"""What can be asked about a run, before, during and after: `status`, `plan`, `providers` and `show`.

Each reads, and none changes anything but `providers`, which sends a request to each model. It imports `terminal`,
`providers`, `budget`, `storage`, `config`, `conversation`, `people` and `core`.
"""
