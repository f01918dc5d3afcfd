"""What an attack cost, one document a day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from arena.store.schema.attack_costs import AttackCostDay
from arena.store.schema.battles import now
from arena.store.upserts import upsert

Document = dict[str, Any]


def save_attack_cost(session: Session, day: str, document: Mapping[str, Any]) -> None:
    """Save the measurement of a day; a later one replaces it."""
    row = {"document": json.dumps(document, ensure_ascii=False), "measured_at": now()}
    statement = upsert(session, AttackCostDay).values(day=day, **row)
    session.execute(statement.on_conflict_do_update(index_elements=["day"], set_=row))


def has_attack_cost(session: Session, day: str) -> bool:
    """Whether a day has its measurement."""
    return session.exec(select(AttackCostDay.day).where(AttackCostDay.day == day)).first() is not None


def last_attack_cost(session: Session) -> Document | None:
    """The newest measurement, or None before the first."""
    query = select(AttackCostDay.document).order_by(col(AttackCostDay.day).desc()).limit(1)
    text = session.exec(query).first()
    return None if text is None else dict(json.loads(text))


def attack_cost_days(session: Session, most: int) -> list[tuple[str, Document]]:
    """The measurements of the newest days, the oldest first."""
    query = select(AttackCostDay.day, AttackCostDay.document).order_by(col(AttackCostDay.day).desc()).limit(most)
    return [(day, json.loads(text)) for day, text in reversed(session.exec(query).all())]
