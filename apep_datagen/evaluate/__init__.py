"""How well a model remembers: users whom it has never met, what it did with each, and what that comes to.

    exam ─→ plan ─→ (a run, or `play`) ─→ outcome ─→ element ─→ report, comparison

It imports `terminal`, `engine`, `storage`, `quality`, `config`, `conversation`, `people`, `language`, `formats` and
`core`.
"""
