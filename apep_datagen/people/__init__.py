"""Who talks with Ada, and about what: simulated users, what they tell, and how it goes on from day to day.

`cast`, `world` and `phrases` read the tables in `systemprompts/`; `drawing`, `past` and `steering` draw users, what Ada
has noted of them, and scenarios, `forms` says what a story offers, `story` what Ada knows, `ability_yield` which
abilities are held back. Everything is pure but that reading, and imports `core` and `language` alone.
"""
