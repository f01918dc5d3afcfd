"""The vocabulary of votes: the sides of a battle, the winners, the sources, and the category of all battles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ratings import OUTCOMES

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")

WINNERS = tuple(outcome.name for outcome in OUTCOMES)  # model_a, model_b, tie, both_bad
SCORES: Mapping[str, float] = dict(OUTCOMES)  # of the model on the left, by winner

HUMAN = "human"  # the source of people's votes
JUDGE = "judge:"  # the prefix of a judge's source; the judge's name follows
# What is stored as the voter of a person's vote whose voter is not known, as in some imports: the source itself, as for a
# judge's votes; imports before 0.3 wrote "imported".
NO_VOTER = (HUMAN, "imported")
JUDGES = "judges"  # every judge together, where a source is chosen
OVERALL = "overall"  # the category that holds every battle


def mirrored(winner: str) -> str:
    """The same outcome with the sides exchanged."""
    return {"model_a": "model_b", "model_b": "model_a"}.get(winner, winner)
