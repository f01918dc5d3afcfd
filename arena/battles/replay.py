"""A completion that stays while the other side is regenerated, as a supply for the pacer.

The regenerated side is shown as if both were written again: its pace and its first character say no more about its model
than before.
"""

from __future__ import annotations

from dataclasses import dataclass

from arena.battles.pacing import Supply
from arena.store.stored_battles import Written


@dataclass(frozen=True)
class Replay:
    """`characters` that came evenly from `first` to `last`, in seconds after the start."""

    characters: int
    first: float
    last: float

    @classmethod
    def of(cls, written: Written) -> Replay:
        """The replay of a stored completion; one without times is whole at once."""
        last = written.seconds or 0.0
        return cls(len(written.text), min(written.first_token_seconds or 0.0, last), last)

    def supply(self, seconds: float) -> Supply:
        """What there was so many seconds after the start."""
        if seconds >= self.last:
            return Supply(self.characters, done=True)
        if seconds < self.first:
            return Supply(0, done=False)
        share = (seconds - self.first) / (self.last - self.first)
        return Supply(max(1, int(share * self.characters)), done=False)
