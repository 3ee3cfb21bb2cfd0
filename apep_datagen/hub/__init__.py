"""A dataset on the Hugging Face hub: its files, its card, and their transfer.

    output ─→ facts, forms ─→ contents, marker, card ─→ publication ─→ push ─→ client ─→ the hub

It imports `export`, `stats`, `inspect`, `terminal`, `storage`, `config`, `people`, `chat_templates`, `formats` and
`core`.
"""
