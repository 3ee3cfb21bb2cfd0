"""From the output to files that trainers read, with a report of what was lost.

    source ─→ selection ─→ (joining) ─→ making ─→ files ─→ report
                                          └ examples → a form's write → read back → loss

It imports `terminal`, `storage`, `config`, `conversation`, `people`, `chat_templates`, `formats` and `core`.
"""
