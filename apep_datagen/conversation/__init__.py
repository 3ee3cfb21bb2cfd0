"""A conversation as a state machine of plain values: what it needs next, what is sent, what an answer makes of it.

`machine` says what is due and goes on, `prompting` writes what is sent, `completions` reads what comes back, and
`rewriting` chooses between a thought and what it was rewritten to. No I/O but the reading of prompts (`load_prompts`),
no clock, no chance; it imports `people`, `language`, `formats` and `core`.
"""
