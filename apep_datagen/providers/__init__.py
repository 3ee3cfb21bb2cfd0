"""The adapters to the providers: each sends messages, returns text, and says what went wrong.

None retries, and none waits but the embedded model, for its turn. One module an adapter, whose SDK is imported when it
starts; `exchange` takes what servers answer, the same for all, `factory` makes them. It imports `config` and `core`.
"""
