"""The way back: a dataset in one of the forms, or of another program, becomes conversations of an output.

    source ─→ rows ─→ understanding ─→ joining ─→ taking ─→ outcome ─→ report

It imports `terminal`, `storage`, `formats` and `core`.
"""
