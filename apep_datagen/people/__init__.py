"""Who talks with Ada, and about what: simulated users, what they tell, and how it goes on from day to day.

`cast` and `phrases` read the tables in `systemprompts/`; `drawing` and `steering` draw users and scenarios from them,
`story` says what Ada knows, `ability_yield` which abilities are held back. Everything is pure but that reading,
and imports `core` alone.
"""
