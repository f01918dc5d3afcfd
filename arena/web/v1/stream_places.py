"""Which clients follow battles: two streams a battle for its voter, and a limited number for an address."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from arena.web.open_streams import Stream

PER_BATTLE = 2  # two tabs; a third stream takes the place of the oldest


@dataclass(eq=False)
class Place:
    """The place of one stream. `ended` is called when another stream takes it."""

    voter: str
    battle: str
    address: str
    stream: Stream
    replaced: bool = False
    on_replaced: Callable[[], None] = field(default=lambda: None)


class StreamPlaces:
    """The open streams of this server. One event loop. 0 streams for an address is no limit."""

    def __init__(self, per_address: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_address = per_address
        self._clock = clock
        self._places: dict[tuple[str, str], list[Place]] = {}
        self._of_address: Counter[str] = Counter()

    def is_full(self, address: str) -> bool:
        """Whether an address has as many streams as it may have."""
        return 0 < self.per_address <= self._of_address[address]

    def take(self, voter: str, battle: str, address: str) -> Place:
        """A place for a stream; the oldest streams beyond `PER_BATTLE` are told to end."""
        place = Place(voter, battle, address, Stream(self._clock))
        others = self._places.setdefault((voter, battle), [])
        for oldest in others[: len(others) - PER_BATTLE + 1]:
            others.remove(oldest)
            oldest.replaced = True
            oldest.on_replaced()
        others.append(place)
        self._of_address[address] += 1
        return place

    def leave(self, place: Place) -> None:
        """Give a place back; call it once."""
        key = (place.voter, place.battle)
        if place in (others := self._places.get(key, [])):
            others.remove(place)
        if not others:
            self._places.pop(key, None)
        self._of_address[place.address] -= 1
        if not self._of_address[place.address]:
            del self._of_address[place.address]

    def __len__(self) -> int:
        return self._of_address.total()
