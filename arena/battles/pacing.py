"""Equal pacing: both completions of a turn are released together, so that time and size do not tell the models apart.

At fixed ticks both sides get the same number of characters, at a pace below that of the slower model. The pace depends
on both models in the same way, and it does not change when one of them finishes: the release of the longer
completion goes on as before, from the characters that are already there.

What stays visible: the lengths of both texts, and the pace of the slower model, which may be either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

TICK = 0.1  # seconds between two releases
WARM_UP = 6  # ticks after both have begun, to measure the pace of the models
FASTEST = 30.0  # characters a tick: 300 a second, about ten times as fast as people read
STEP = 2**0.25  # between two paces; a coarse grid says little about the models
PACES = tuple(FASTEST / STEP**step for step in range(28))
LOWER = 2  # steps after the text ran out
BELOW = 0.8  # of the pace of the slower model, so that pauses of its server are not passed on
AT_MOST = 0.9  # of it, after a rise
RISE = 20  # ticks of text in reserve before the pace rises
REFILL = 15  # ticks of text in reserve before a release that ran dry goes on
READING = 2.66  # characters a tick: the end of the longer text is not slower than people read


@dataclass(frozen=True)
class Supply:
    """What one side could show: the characters so far, and whether there will be no more."""

    characters: int
    done: bool


@dataclass
class Source:
    """The pace of one model, in characters a tick from its first character to the last whole tick."""

    characters: int = 0
    ticks: int = 0
    done: bool = False
    _before: int = 0  # characters at the tick before the last one
    _after: int = 0  # ticks since the end

    def observe(self, supply: Supply) -> None:
        """Note the supply of one more tick."""
        if supply.characters and not self.done:
            self.ticks += 1
            self._before = self.characters
        self._after += self.done
        self.characters, self.done = supply.characters, supply.done

    @property
    def begun(self) -> bool:
        return self.characters > 0 or self.done

    @property
    def whole_at_once(self) -> bool:
        return self.done and self.ticks <= 1

    @property
    def pace(self) -> float:
        """The last tick of a finished text is a part of one, so it does not count."""
        if self.done and self.ticks > 1:
            return self._before / (self.ticks - 1)
        return self.characters / max(self.ticks, 1)

    @property
    def reach(self) -> float:
        """The characters by now of a model with this pace that has not finished."""
        return self._before + self.pace * (self._after + 1) if self.done else self.characters


@dataclass
class Pacer:
    """How many characters of both sides are released. Call `advance` once a tick."""

    released: int = 0
    _position: float = 0.0
    _step: int | None = None  # into PACES; None before the first release
    _waited: int = 0  # ticks since both have begun
    _dry: bool = False  # waits for text in reserve
    _sources: tuple[Source, Source] = field(default_factory=lambda: (Source(), Source()))

    @property
    def finished(self) -> bool:
        """Whether both sides have ended and all their text is released."""
        return all(source.done and source.characters <= self.released for source in self._sources)

    def advance(self, supplies: Sequence[Supply]) -> None:
        """Release the characters of one tick."""
        for source, supply in zip(self._sources, supplies, strict=True):
            source.observe(supply)
        if all(source.whole_at_once for source in self._sources):
            self.released = self._limit  # no pace is to be hidden
        elif all(source.begun for source in self._sources):
            self._release()

    def _release(self) -> None:
        if self._step is None:
            self._waited += 1
            if self._waited <= WARM_UP:
                return
            self._step = _step(BELOW * self._slower)
        self._step = self._adapted(self._step)
        if not self._dry:
            self._position = min(self._position + PACES[self._step], self._limit)
        self.released = int(self._position)

    def _adapted(self, step: int) -> int:
        """A slower pace when the text runs out; a faster one while both sides grow and there is much in reserve."""
        ended = all(source.done for source in self._sources)
        reserve = self._limit - self._position
        if self._dry:
            self._dry = not ended and reserve < REFILL * PACES[step]
        elif not ended and reserve < PACES[step]:
            self._dry = True
            return min(step + LOWER, len(PACES) - 1)
        elif self._in_tail:
            return min(step, _step(READING))
        elif step and self._may_rise(step):
            return step - 1
        return step

    def _may_rise(self, step: int) -> bool:
        """Whether the slower model allows the next pace, judged as if no model had finished."""
        reserve = min(source.reach for source in self._sources) - self._position
        return reserve > RISE * PACES[step] and PACES[step - 1] <= AT_MOST * self._slower

    @property
    def _slower(self) -> float:
        """The pace of the slower model; that of a finished one still counts, or its end would be seen."""
        return min(source.pace for source in self._sources)

    @property
    def _limit(self) -> int:
        """How far the text reaches: on both sides, or on the one that is not whole yet."""
        growing = [source.characters for source in self._sources if not source.done]
        return min(growing) if growing else max(source.characters for source in self._sources)

    @property
    def _in_tail(self) -> bool:
        """Whether one side is shown whole, so that only the other one still grows."""
        return any(source.done and source.characters <= self._position for source in self._sources)


def _step(pace: float) -> int:
    """The first of the PACES that is not faster than this one, else the last."""
    return next((step for step, slower in enumerate(PACES) if slower <= pace), len(PACES) - 1)
