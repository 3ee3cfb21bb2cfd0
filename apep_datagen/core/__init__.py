"""What everything speaks in: messages, Ada's markup and tools, words, numbers, errors, and files of the user's.

Values and pure functions, with the readers of files that the user writes. It imports no other package.
"""
