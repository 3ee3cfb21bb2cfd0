"""What a person reads: the view of a run in progress, tables, numbers and texts.

It shows and decides nothing. It imports `engine` for the counters that it shows, and `storage`, `quality`
and `people` for the yield.
"""
