"""Which pages follow a running turn, and how often each gets a frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PER_TURN = 2  # pages that follow one turn: two tabs; a third takes the place of the first
LONGEST_PAUSE = 2.0  # seconds between two frames while the server has much to do


@dataclass(eq=False)
class Follower:
    """One event of a page that shows a running turn. It ends when `replaced` is true."""

    session: str
    replaced: bool = False

    def is_wanted(self) -> bool:
        return not self.replaced


@dataclass
class Followers:
    """The followers of all turns, by voter and battle.

    An event costs a frame many times a second. Without this, a page that asks again for the turn that it shows already
    costs as much again, and 25 such events took the whole processor.
    """

    _turns: dict[tuple[str, str], list[Follower]] = field(default_factory=dict)

    @contextmanager
    def following(self, voter: str, battle: str, session: str) -> Iterator[Follower]:
        """A follower, in place of the one of the same page, and of the oldest when there are `PER_TURN`."""
        follower, turn = Follower(session), (voter, battle)
        others = self._turns.setdefault(turn, [])
        replaced = [other for other in others if other.session == session]
        replaced += [other for other in others if other.session != session][: 1 - PER_TURN or None]
        for other in replaced:
            other.replaced = True
            others.remove(other)
        others.append(follower)
        try:
            yield follower
        finally:
            if not follower.replaced:
                self._turns[turn].remove(follower)
            if not self._turns.get(turn, True):
                del self._turns[turn]

    def pause(self, seconds: float) -> float:
        """Seconds to wait after a frame that took `seconds`: all frames take at most half of the time."""
        return min(LONGEST_PAUSE, 2 * len(self) * seconds)

    def __len__(self) -> int:
        return sum(map(len, self._turns.values()))
