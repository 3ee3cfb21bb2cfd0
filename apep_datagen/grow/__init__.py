"""More of the world: a provider proposes kinds of fact, moments and topics, code checks them, and what passes is kept.

`growing` asks and keeps, `proposals` reads an answer, `checking` says what is wrong with a proposal (`kinds`, `moments`
and `topics` each of one sort), `grown_file` is the user's file. It imports `providers`, `budget`, `pacing`, `config`,
`conversation`, `people`, `language` and `core`.
"""
