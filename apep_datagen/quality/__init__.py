"""Whether a finished conversation is worth training on: `judge` asks the stages, one after the other.

Each stage is a module with a `check` that returns a `Problem` or None, and looks at nothing but
values, and at what was accepted before (`novelty.Accepted`). It imports
`conversation`, `people`, `language` and `core`.
"""
