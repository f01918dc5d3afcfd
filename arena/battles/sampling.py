"""The rule by which pairs are drawn, from the votes so far: gains of pairs, and boosts of newcomers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

import ratings
from arena.battles.pair_draw import PairGains
from arena.config import SamplingSettings
from arena.serving.live_models import LiveModels
from arena.store import Database
from arena.store.timings import timings
from arena.store.votes import PairVotes
from arena.store.votes_so_far import votes_of_people


class Sampling:
    """Draws by weight until `refresh` has seen votes. One event loop."""

    def __init__(self, database: Database, live: LiveModels, settings: SamplingSettings) -> None:
        self.settings = settings
        self.gains: PairGains | None = None
        self.votes: Mapping[str, int] = {}  # of people, by model
        self.speeds: Mapping[str, float] = {}  # tokens a second, by model
        self._database, self._live = database, live
        self._seen: object = None  # what the gains were computed from

    async def refresh(self) -> None:
        """Take the votes since the last call into account. Call it every `refresh_seconds`, and after changes."""
        counted, self.speeds = await asyncio.to_thread(self._read)
        self.votes = votes_by_model(counted)
        self._boost()
        names = tuple(sorted(model.name for model in self._live.serving.drawn()))
        if self.settings.rule == "weighted" or len(names) < 2 or not counted:
            self.gains = None
        elif (seen := (names, tuple(counted))) != self._seen:
            self.gains = await asyncio.to_thread(gains_of, counted, names, self.settings.floor)
            self._seen = seen

    def boost(self, name: str, until: int | None) -> float:
        """By how much the weight of a model is multiplied; `until` is what an operator has set."""
        votes = self.settings.newcomer_votes if until is None else until
        return self.settings.newcomer_boost if self.votes.get(name, 0) < votes else 1.0

    def _boost(self) -> None:
        self._live.serving.boosts = {
            model.name: self.boost(model.name, self._live.control(model.settings.name).boost_votes)
            for model in self._live.serving.drawn()
        }

    def _read(self) -> tuple[Sequence[PairVotes], Mapping[str, float]]:
        """The votes, and the speed of each model that has one."""
        with self._database.read() as session:
            speeds = {name: timing.tokens_per_second for name, timing in timings(session).items()}
            return votes_of_people(session), {name: speed for name, speed in speeds.items() if speed is not None}


def votes_by_model(counted: Sequence[PairVotes]) -> Counter[str]:
    """The votes on each model."""
    votes: Counter[str] = Counter()
    for row in counted:
        number = row.wins + row.losses + row.ties + row.both_bad
        votes[row.model_a] += number
        votes[row.model_b] += number
    return votes


def gains_of(counted: Sequence[PairVotes], drawn: Sequence[str], floor: float) -> PairGains:
    """The gains of all pairs of models that are drawn now. Only the intervals of these matter."""
    names = tuple(sorted({*drawn, *votes_by_model(counted)}))
    place = {name: number for number, name in enumerate(names)}
    rows = [(place[c.model_a], place[c.model_b], c.wins, c.losses, c.ties, c.both_bad) for c in counted]
    counts = ratings.PairCounts(names, *np.array(rows, dtype=np.int64).reshape(-1, 6).T)
    matter = np.isin(names, list(drawn)).astype(np.float64)
    gains = ratings.pair_sampling.variance_fall(counts, matter=matter)
    own = [place[name] for name in sorted(drawn)]
    return PairGains(tuple(sorted(drawn)), gains[np.ix_(own, own)], floor)
