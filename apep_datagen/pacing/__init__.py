"""When a provider may be asked: its rates, its pauses, and its rests after failures.

Nothing here sends anything, and no time but the event loop's is read. It imports `core` alone.
"""
