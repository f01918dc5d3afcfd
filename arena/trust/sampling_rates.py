"""How often each model was drawn for battles, by which rule, and how many private variants each organisation tested.

Source of the concern: Singh et al., The Leaderboard Illusion, arXiv 2504.20879. Private tests and uneven sampling move a
board, so both are published.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from arena.config import SamplingSettings
from arena.store import Session
from arena.store.drawn_battles import drawn_battles, outages_by_model
from arena.store.model_states import PrivateVariants, private_variants

DAYS = 30
OPEN = timedelta(days=1)  # as long a battle waits for its vote by default


@dataclass(frozen=True)
class ModelRate:
    """The blind battles of a model, and their share among all; with `outages` of its endpoint in the same time."""

    model: str
    battles: int
    share: float
    outages: int


@dataclass(frozen=True)
class SamplingRates:
    """The battles that began from `since` to `until`; `private_battles` had a private model on at least one side."""

    since: datetime
    until: datetime
    battles: int
    private_battles: int
    models: tuple[ModelRate, ...]
    rule: str
    floor: float
    newcomer_votes: int
    newcomer_boost: float

    def to_dict(self) -> dict[str, Any]:
        """The figures as published."""
        times = {name: getattr(self, name).isoformat(timespec="seconds") for name in ("since", "until")}
        return {**asdict(self), **times, "models": [asdict(row) for row in self.models]}


def sampling_rates(session: Session, settings: SamplingSettings, at: datetime, days: int = DAYS) -> SamplingRates:
    """The sampling rates of whole days (UTC), models drawn most often first. Private models have no row.

    The last day ended at least a day before `at`: a count that grows with the voter's own battle would name its models
    while it waits for the vote.
    """
    until = last_day_end(at)
    since = until - timedelta(days=days)
    drawn, outages = drawn_battles(session, since, until), outages_by_model(session, since, until)
    models = (
        ModelRate(name, battles, battles / drawn.battles, outages.get(name, 0))
        for name, battles in drawn.by_model.items()
    )
    return SamplingRates(
        since=since,
        until=until,
        battles=drawn.battles,
        private_battles=drawn.private,
        models=tuple(sorted(models, key=lambda row: (-row.battles, row.model))),
        rule=settings.rule,
        floor=settings.floor,
        newcomer_votes=settings.newcomer_votes,
        newcomer_boost=settings.newcomer_boost,
    )


def last_day_end(at: datetime) -> datetime:
    """The end of the last day that is published at a moment."""
    return datetime.combine((at.astimezone(UTC) - OPEN).date(), time(), UTC)


def disclosed_variants(session: Session) -> list[PrivateVariants]:
    """The number of private models of each organisation, those that were never released included."""
    return private_variants(session)
