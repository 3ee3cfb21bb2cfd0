"""A run: the schedule of conversations, a worker for each provider, and what an answer does to the state.

Follow one conversation from `run` to `worker`, `requester` and `commit`. It imports everything below it: `providers`,
`budget`, `pacing`, `storage`, `quality`, `config`, `conversation`, `people`, `formats` and `core`.
"""
