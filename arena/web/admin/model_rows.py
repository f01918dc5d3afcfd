"""The rows of `/admin/models`: what is set for each model, and how its endpoint does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from arena.config import AnyModel
from arena.rules.model_states import ModelControl, ModelState
from arena.serving.availability import Availability
from arena.serving.model_states import state_of
from arena.store import Session
from arena.store.completion_totals import CompletionTotals, completion_totals
from arena.store.model_states import controls, outages
from arena.store.schema.battles import now
from arena.store.schema.model_states import ModelOutage
from arena.web.admin.frame import Frame

DAY = timedelta(days=1)
ALIVE = timedelta(minutes=2)  # an outage whose next try is longer ago is of a stopped server


@dataclass(frozen=True)
class ModelRow:
    """One model. Totals are those of the last 24 hours."""

    settings: AnyModel
    control: ModelControl
    state: ModelState
    availability: Availability | None  # on this server; None while it has no endpoint
    outages: Sequence[ModelOutage]  # of all servers
    totals: CompletionTotals
    votes: int
    weight: float
    boost: float

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def private(self) -> bool:
        return self.control.private or (self.settings.private and self.control.code is None)

    @property
    def usd(self) -> float | None:
        """What the completions have cost by the price of the settings."""
        price = self.settings.price
        if price is None:
            return None
        return (price.prompt * self.totals.prompt_tokens + price.completion * self.totals.completion_tokens) / 1e6


def model_rows(session: Session, frame: Frame) -> list[ModelRow]:
    """The models of the settings file in its order."""
    moment, set_ = now(), controls(session)
    totals, resting = completion_totals(session, moment - DAY), outages(session, moment - ALIVE)
    live, sampling = frame.battles.live_models, frame.battles.sampling
    rows = []
    for settings in live.configured:
        control = set_.get(settings.name, ModelControl())
        name = control.code if control.private and control.code else settings.name
        served = frame.serving.models.get(name)
        rows.append(
            ModelRow(
                settings=settings,
                control=control,
                state=state_of(settings, control, moment.date()),
                availability=served.availability if served else None,
                outages=[outage for outage in resting if outage.name == name],
                totals=totals.get(name, CompletionTotals()),
                votes=sampling.votes.get(name, 0),
                weight=settings.weight if control.weight is None else control.weight,
                boost=sampling.boost(name, control.boost_votes),
            )
        )
    return rows


def seconds_until(moment: datetime) -> int:
    """Seconds from now, at least 0."""
    return max(0, round((moment - now()).total_seconds()))
