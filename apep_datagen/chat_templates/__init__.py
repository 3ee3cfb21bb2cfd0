"""Chat templates: a row rendered as a trainer renders it, what is left of it then, and how many tokens it is.

    name or file ─→ template ─→ text ─→ kept, tokens ─→ a row's check ─→ tally
                       messages ─→ marks ─┘

Values and functions; it reads the files of templates and tokenizers, and imports `core` and `formats`.
"""
