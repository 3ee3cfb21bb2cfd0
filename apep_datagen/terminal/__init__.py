"""What a person reads: the view of a run in progress, a page drawn in place, tables and texts.

All that is printed goes through `streams`, which cleans it, and which nothing that a stream does can stop. It shows and
decides nothing. It imports `engine` for the counters that it shows, `storage`, `quality` and `people` for the yield,
and `core`.
"""
