"""What can be asked about a run: how far it is, what it will need, whether its providers work, what was said.

`status`, `estimate` (the command `plan`), `provider_check` (`providers`), which alone sends something, and `show`;
`*_report` put them into words. It imports `terminal`, `providers`, `budget`, `storage`, `config`, `conversation`,
`people` and `core`.
"""
