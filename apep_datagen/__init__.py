"""Makes training conversations for Ada, a companion persona with private thinking, a memory and a diary.

The way of a conversation goes through `cli`, `engine`, `people`, `conversation`, `budget`, `pacing`, `providers`,
`storage` and `quality`; `inspect`, `stats` and `verify` look at what came of it. Each package says what it is for, and
what it may import; docs/architecture.md draws them.
"""

__all__: list[str] = []
