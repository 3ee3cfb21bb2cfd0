"""A dataset on the Hugging Face hub: its files, its card, and their transfer.

    output ─→ facts ─────────────┐
       └────→ forms ─→ contents ─┴→ card ─→ push ─→ client ─→ the hub
                         marker ─┘

It imports `export`, `stats`, `inspect`, `terminal`, `storage`, `config`, `people`, `chat_templates`, `formats` and
`core`.
"""
