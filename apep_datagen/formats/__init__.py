"""The forms that trainers read: a conversation as a row of each, and back.

    example ─→ chat, native ─→ one module for each form ─→ row
                                        └──── read ←──────── row

Values and functions: a form knows no file, no state database and no screen. It imports `core`.
"""
