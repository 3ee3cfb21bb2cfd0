"""Why a request is not sent, though nothing went wrong."""

from __future__ import annotations

__all__ = ["BudgetSpentError", "NotNowError"]


class BudgetSpentError(Exception):
    """A request does not fit into what is left of a budget, whatever the requests under way will cost.

    Args:
        budget: The option or key that sets it.
    """

    def __init__(self, budget: str) -> None:
        super().__init__(budget)
        self.budget = budget


class NotNowError(Exception):
    """Nothing is to be sent for a while, or any more."""
