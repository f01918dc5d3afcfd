"""What can be wrong with battles: one class a mistake, each message naming the row and what helps.

Named for the mistake, without the suffix Error: `UnknownWinner: row 17: ...` reads as a sentence.
"""

from __future__ import annotations


class RatingsError(ValueError):
    """A battle, a count or an option that no rating can be computed from."""


class UnknownWinner(RatingsError):
    """A winner that is none of model_a, model_b, tie, both_bad."""


class UnknownModel(RatingsError):
    """A model that is not in the list it was to be looked up in."""


class MissingValue(RatingsError):
    """A battle without a model, a winner, a weight or a covariate."""


class SelfBattle(RatingsError):
    """A model against itself, which says nothing about it."""


class LengthMismatch(RatingsError):
    """Columns of unequal length."""


class NoBattles(RatingsError):
    """Nothing to rate from."""


class BadOption(RatingsError):
    """An option outside its range."""


class Disconnected(RatingsError):
    """Models that no chain of wins and losses compares, where a method needs all of them compared."""


class NotConverged(RatingsError):
    """A fit whose steps did not die out."""
