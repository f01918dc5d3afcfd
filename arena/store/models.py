"""The registered models, each with its name and the time of its registration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from arena.rules.model_states import PRIVATE
from arena.store.schema.battles import Model, now
from arena.store.upserts import upsert


def register_models(session: Session, names: Iterable[str]) -> None:
    """Register the names that are not registered yet. Another server may register the same names meanwhile."""
    rows = [{"name": name, "created_at": now()} for name in unregistered(session, names)]
    if rows:
        session.execute(upsert(session, Model).values(rows).on_conflict_do_nothing(index_elements=["name"]))


def unregistered(session: Session, names: Iterable[str]) -> list[str]:
    """Those of the names that are not registered, in order."""
    return sorted(set(names) - set(session.exec(select(Model.name)).all()))


def model_ids(session: Session) -> dict[int, str]:
    """The name of every registered model by its id."""
    return {number or 0: name for number, name in session.exec(select(Model.id, Model.name))}


def model_names(session: Session, before: datetime | None = None) -> list[str]:
    """The names of the models registered before a moment, or of all, in order; without those of private models."""
    query = select(Model.name).where(~col(Model.name).startswith(PRIVATE, autoescape=True)).order_by(Model.name)
    return list(session.exec(query if before is None else query.where(col(Model.created_at) < before)).all())


def registration_times(session: Session) -> dict[str, datetime]:
    """The time of each model's registration by name, in the order of the names."""
    return dict(session.exec(select(Model.name, Model.created_at).order_by(Model.name)).all())


def registered_at(session: Session, name: str) -> datetime | None:
    """The time of a model's registration, or None for an unknown model."""
    return session.exec(select(Model.created_at).where(Model.name == name)).one_or_none()
