"""A dataset on the Hugging Face hub: its files, its card, and their transfer.

    facts ─→ card ─┐
    forms ─────────┴→ a directory ─→ push ─→ the hub

It imports `export`, `inspect`, `stats`, `terminal`, `storage`, `config`, `people`, `formats` and `core`.
"""
