"""How well a model remembers: users whom it has never met, what it did with each, and what that comes to.

    exam ─→ plan ─→ (a run, or `play`) ─→ outcome ─→ element ─→ report, comparison

It imports `terminal`, `storage`, `quality`, `conversation`, `people`, `language` and `core`.
"""
