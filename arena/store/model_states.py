"""What operators have set for models, and the log of every change, which is only appended to.

Every function works in the session of its caller, so that a change and its entry in an audit trail are one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from arena.errors import ConfigError
from arena.rules.messages import TranslatableError
from arena.rules.model_states import (
    PRIVATE,
    STATE_AFTER,
    STATE_NAMES,
    ModelAction,
    ModelControl,
    ModelState,
)
from arena.store.schema.battles import Battle, Model, now
from arena.store.schema.model_states import ModelChange, ModelOutage, ModelSetting
from arena.store.upserts import upsert

NO_CHANGE = (ModelAction.OUTAGE, ModelAction.RETURN, ModelAction.REFUSED)
LARGEST_WEIGHT, MOST_VOTES = 1e6, 10**9


class ChangeRefused(TranslatableError, ConfigError):
    """A change of a model that is none, or that cannot be made; nothing was changed."""


@dataclass(frozen=True)
class PrivateVariants:
    """The models of an organisation that took part in battles here before their names were known.

    Those that were never released stay in `variants`.
    """

    organisation: str | None
    variants: int
    released: int


def controls(session: Session) -> dict[str, ModelControl]:
    """What operators have set, by the name of the model."""
    return {row.name: _control(row) for row in session.exec(select(ModelSetting))}


def version(session: Session) -> int:
    """A number that grows with every change of an operator. Outages do not change it: readers could see when they begin."""
    query = select(func.max(ModelChange.id)).where(col(ModelChange.action).not_in(NO_CHANGE))
    return session.exec(query).one() or 0


def change(
    session: Session,
    name: str,
    action: ModelAction,
    *,
    reason: str,
    by: str,
    value: float | None = None,
) -> ModelControl:
    """Change one model and append to the log; returns what is set then. Raises `ChangeRefused` for a change of nothing."""
    row = _row(session, name)
    _apply(row, action, reason, by, value)
    session.add(ModelChange(name=name, action=action, value=value, reason=reason, by=by))
    session.flush()
    return _control(row)


def _row(session: Session, name: str) -> ModelSetting:
    """The row of a model, made if it is missing, and locked until the end of the transaction."""
    session.execute(upsert(session, ModelSetting).values(name=name, reason="", by="").on_conflict_do_nothing())
    query = select(ModelSetting).where(ModelSetting.name == name).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def _apply(row: ModelSetting, action: ModelAction, reason: str, by: str, value: float | None) -> None:
    if state := STATE_AFTER.get(action):
        if row.state == state:
            raise ChangeRefused(
                "{name} is in this state already: {state}. The log shows since when and why.",
                name=row.name,
                state=STATE_NAMES[state],
            )
        row.state, row.reason, row.since, row.by = state, reason, now(), by
    elif action is ModelAction.WEIGHT:
        row.weight = _within(value, LARGEST_WEIGHT)
    elif action is ModelAction.BOOST:
        votes = _within(value, MOST_VOTES)
        row.boost_votes = None if votes is None else int(votes)
    elif action is ModelAction.RELEASE:
        if row.code is None or row.released_at is not None:
            raise ChangeRefused("{name} is not private. Choose a private model to release.", name=row.name)
        row.released_at = now()
    else:
        raise ValueError(f"{action} is no change that a person makes")


def _within(value: float | None, most: float) -> float | None:
    if value is not None and not 0 <= value <= most:
        raise ChangeRefused(
            "{value:g} is out of range. Give a number from 0 to {most:,g}.", value=value, most=most
        )
    return value


def note(session: Session, name: str, action: ModelAction, *, reason: str, by: str) -> int:
    """Append what happened without a change of a setting, such as an outage; returns the number of the entry."""
    row = ModelChange(name=name, action=action, reason=reason, by=by)
    session.add(row)
    session.flush()
    return row.id or 0


def hide(session: Session, models: Mapping[str, str | None], by: str) -> None:
    """Give codes to models that become private: by name, the organisation of each. Those with a code stay as they are.

    Raises `ConfigError` for a model that is in battles under its name.
    """
    for name, organisation in sorted(models.items()):
        row = _row(session, name)
        if row.code is not None:
            continue
        if is_in_battles(session, name):
            raise ConfigError(
                f"{name} is in battles under its name, so it cannot become private. Remove private = true, or give "
                "the model another name."
            )
        row.code, row.organisation = PRIVATE + secrets.token_hex(4), organisation
        session.add(ModelChange(name=name, action=ModelAction.HIDE, reason="private in the settings file", by=by))
    session.flush()


def is_in_battles(session: Session, name: str) -> bool:
    """Whether a battle has a model of this name."""
    number = select(Model.id).where(Model.name == name).scalar_subquery()
    query = select(Battle.id).where((Battle.model_a_id == number) | (Battle.model_b_id == number)).limit(1)
    return session.exec(query).first() is not None


def changes(
    session: Session, name: str | None = None, *, after: int = 0, limit: int | None = None
) -> Sequence[ModelChange]:
    """The log, the newest entry first; with `name` of one model, and after a number."""
    query = select(ModelChange).where(col(ModelChange.id) > after).order_by(col(ModelChange.id).desc())
    return session.exec((query if name is None else query.where(ModelChange.name == name)).limit(limit)).all()


def private_variants(session: Session) -> list[PrivateVariants]:
    """The number of models that each organisation has or had in private tests here, by name."""
    keys = col(ModelSetting.organisation)
    query = (
        select(keys, func.count(), func.count(col(ModelSetting.released_at)))
        .where(col(ModelSetting.code).is_not(None))
        .group_by(keys)
    )
    rows = [PrivateVariants(name, int(all_), int(released)) for name, all_, released in session.execute(query)]
    return sorted(rows, key=lambda row: (row.organisation is None, row.organisation or ""))


def set_outage(session: Session, name: str, server: str, *, reason: str, tries: int, next_try: datetime) -> None:
    """A server has paused a model, or tried it again in vain."""
    if (row := session.get(ModelOutage, (name, server))) is None:
        row = ModelOutage(name=name, server=server)
    row.reason, row.tries, row.next_try = reason, tries, next_try
    session.add(row)
    session.flush()


def end_outage(session: Session, name: str, server: str) -> None:
    """The model of a server answers again."""
    if (row := session.get(ModelOutage, (name, server))) is not None:
        session.delete(row)
        session.flush()


def outages(session: Session, since: datetime) -> Sequence[ModelOutage]:
    """The models that a server has paused and tries again after `since`; a stopped server's rows are older."""
    return session.exec(
        select(ModelOutage).where(col(ModelOutage.next_try) > since).order_by(col(ModelOutage.name))
    ).all()


def _control(row: ModelSetting) -> ModelControl:
    return ModelControl(
        state=None if row.state is None else ModelState(row.state),
        reason=row.reason,
        since=row.since,
        by=row.by,
        weight=row.weight,
        boost_votes=row.boost_votes,
        code=row.code,
        organisation=row.organisation,
        released_at=row.released_at,
    )
