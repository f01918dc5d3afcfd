"""Errors of `ratings`: one class per mistake. A message names the row where there is one, then says what to do.

Each class is named for the mistake, without the suffix Error: `UnknownWinner: row 17: ...` reads as a sentence.
"""

from __future__ import annotations


class RatingsError(ValueError):
    """A battle, a count or an option that no rating can be computed from."""


class UnknownWinner(RatingsError):
    """A winner that is none of model_a, model_b, tie, both_bad."""


class UnknownModel(RatingsError):
    """A model that is not in the list of models."""


class MissingValue(RatingsError):
    """A battle without a model, a winner, a weight or a covariate."""


class SelfBattle(RatingsError):
    """A battle of a model against itself, which carries no information."""


class LengthMismatch(RatingsError):
    """Columns of unequal length."""


class NoBattles(RatingsError):
    """A set of battles, or of models, that is empty."""


class BadOption(RatingsError):
    """An option outside its range."""


class Disconnected(RatingsError):
    """Models that no chain of wins and losses compares, given to a method that needs all of them compared."""


class NotConverged(RatingsError):
    """A fit whose steps did not become small enough."""
