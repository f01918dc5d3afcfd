"""The modes of a battle: who knows the models, and how many there are."""

from __future__ import annotations

from enum import StrEnum

from arena.rules.votes import SIDES, Side


class Mode(StrEnum):
    """Only a blind battle can be voted on, shared and counted; the voter of the others sees the names at once."""

    BLIND = "blind"  # two drawn models, named after the vote
    CHOSEN = "chosen"  # two models that the voter has chosen
    SINGLE = "single"  # one model that the voter has chosen, on side a

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that have completions."""
        return SIDES[:1] if self is Mode.SINGLE else SIDES
