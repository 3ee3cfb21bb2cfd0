"""What may be spent: requests, tokens, dollars, and the tokens of a month.

The most that a request can cost is reserved in an `Account` before it is sent, and settled after; `purse` does it for
one provider, `ledger` keeps the months of all runs. It imports `storage` and `core`.
"""
