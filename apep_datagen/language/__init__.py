"""What a text says, as far as that can be told without a model: content, sentences, names and numbers, claims, times.

Pure functions of texts. They know English and, through the stemmer, a little of its relatives. It imports `core`.
"""
