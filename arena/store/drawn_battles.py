"""How often each model was drawn for battles of people, and how often its endpoint kept it out of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from arena.rules.model_states import ModelAction, is_private
from arena.rules.modes import Mode
from arena.store.models import model_ids
from arena.store.query_filters import is_control
from arena.store.schema.battles import Battle
from arena.store.schema.model_states import ModelChange


@dataclass(frozen=True)
class DrawnBattles:
    """Blind battles of a time by model; those with a private model are counted together, under no name."""

    battles: int
    by_model: Mapping[str, int]  # a battle is counted for both of its models
    private: int  # battles with a private model


def drawn_battles(session: Session, since: datetime, until: datetime) -> DrawnBattles:
    """The blind battles that began in a time. Control battles are not counted: their models were not drawn."""
    pair = col(Battle.model_a_id), col(Battle.model_b_id)
    query = (
        select(*pair, func.count())
        .where(Battle.mode == Mode.BLIND, col(Battle.created_at) >= since, col(Battle.created_at) < until)
        .where(~is_control(Battle.id))
        .where(col(Battle.owner).is_not(None))  # a server ran it: neither imported nor over a prompt set
        .group_by(*pair)
    )
    names, by_model, private, total = model_ids(session), Counter[str](), 0, 0
    for a, b, number in session.execute(query):
        total += int(number)
        private += int(number) if is_private(names[a]) or is_private(names[b]) else 0
        for name in (names[a], names[b]):
            if not is_private(name):
                by_model[name] += int(number)
    return DrawnBattles(total, dict(by_model), private)


def outages_by_model(session: Session, since: datetime, until: datetime) -> dict[str, int]:
    """The number of times that an endpoint kept failing, by model."""
    query = (
        select(ModelChange.name, func.count())
        .where(ModelChange.action == ModelAction.OUTAGE, col(ModelChange.at) >= since, col(ModelChange.at) < until)
        .group_by(col(ModelChange.name))
    )
    return {name: int(number) for name, number in session.execute(query) if not is_private(name)}
