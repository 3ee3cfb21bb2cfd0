"""Judging what was accepted and rejected anew, by the rules of today, from the state database and without a provider.

`rejudging` begins with how the other modules work together; `report` tells what came of it, in words and as JSON.
It imports `engine`, `storage`, `quality`, `config`, `conversation`, `people`, `terminal` and `core`.
"""
