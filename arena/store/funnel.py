"""Battles by step of their way, for operators: numbers of days, and the rows behind each number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, or_, true
from sqlmodel import Session, col, func, select

from arena.rules.funnel import Funnel, Step
from arena.rules.modes import Mode
from arena.rules.vote_states import VoteState
from arena.rules.votes import HUMAN
from arena.store.hidden_battles import hidden_among
from arena.store.models import model_ids
from arena.store.query_filters import is_hidden
from arena.store.schema.battles import (
    Battle,
    BattleStatus,
    CompletionRow,
    CompletionStatus,
    PendingVote,
    Report,
    Turn,
    Vote,
)
from arena.store.schema.hidden_battles import HiddenBattle
from arena.store.schema.vote_states import VoteHold

PAGE = 50
DAY = timedelta(days=1)
FINAL = {  # the place of a battle by its status alone
    BattleStatus.RUNNING: "running",
    BattleStatus.FAILED: "failed",
    BattleStatus.VOTED: "revealed",
}


@dataclass(frozen=True)
class DayCounts:
    """The battles that began on a day (UTC), altogether and by model; one with two models counts for both."""

    day: date
    total: Funnel
    by_model: Mapping[str, Funnel]


@dataclass(frozen=True)
class BattleFilter:
    """Which battles to list; an empty value is every one. `hour` is that of the vote, in UTC."""

    day: date | None = None
    model: str = ""
    step: Step | None = None
    shared: bool = False
    hidden: bool = False
    reported: bool = False
    hour: datetime | None = None
    since: datetime | None = None  # of the vote
    reason: str = ""  # for which the vote is held
    state: str = ""  # of the vote: accepted, pending or quarantined
    failure: str = ""  # of a completion
    voter: str = ""
    before: int | None = None  # an id: only older battles


@dataclass(frozen=True)
class ListedBattle:
    """A battle in a list for operators."""

    id: int
    public_id: str
    model_a: str
    model_b: str
    status: str
    shared: bool
    prompt: str
    voter: str
    winner: str | None
    created_at: datetime
    hidden: HiddenBattle | None


def day_counts(session: Session, day: date) -> DayCounts:
    """The blind battles that began on a day, by the place on their way."""
    names, cells = model_ids(session), defaultdict[tuple[int, int], Funnel](Funnel)
    keys = (col(Battle.model_a_id), col(Battle.model_b_id))
    of_day = and_(*_on(day), _blind())
    for a, b, status, number in _grouped(session, (*keys, col(Battle.status)), of_day):
        cells[a, b] += Funnel(
            **{FINAL.get(BattleStatus(status), "left" if status == "abandoned" else "waiting"): number}
        )
    moved = {
        "stopped": ("left", BattleStatus.ABANDONED, _STOPPED),
        "undoable": ("waiting", BattleStatus.OPEN, _PENDING),
    }
    for place, (before, status, condition) in moved.items():
        # Wrapped: from the index of statuses, SQLite would read the battles of all days.
        of_status = func.coalesce(col(Battle.status), "") == status
        for a, b, number in _grouped(session, keys, of_day, of_status, condition):
            cells[a, b] += Funnel(**{place: number, before: -number})
    by_model = defaultdict[str, Funnel](Funnel)
    for (a, b), funnel in cells.items():
        for number in {a, b}:
            by_model[names[number]] += funnel
    return DayCounts(day, sum(cells.values(), Funnel()), dict(by_model))


def _grouped(session: Session, keys: tuple[Any, ...], *where: ColumnElement[bool]) -> Any:
    return session.execute(select(*keys, func.count()).where(*where).group_by(*keys))  # type: ignore[call-overload]


def failures(session: Session, since: datetime) -> dict[tuple[str, str], int]:
    """The failed completions of battles that failed since a moment, by model and kind of failure."""
    names = model_ids(session)
    keys = (col(CompletionRow.side), col(Battle.model_a_id), col(Battle.model_b_id), col(CompletionRow.failure))
    query: Any = (
        select(*keys, func.count())  # type: ignore[call-overload]
        .select_from(Battle)
        .join(Turn, col(Turn.battle_id) == col(Battle.id))
        .join(CompletionRow, col(CompletionRow.turn_id) == col(Turn.id))
        .where(
            col(Battle.created_at) >= since,
            col(Battle.status) == BattleStatus.FAILED,
            col(CompletionRow.failure).is_not(None),
        )
        .group_by(*keys)
    )
    found = defaultdict[tuple[str, str], int](int)
    for side, a, b, failure, number in session.execute(query):
        found[names[a if side == "a" else b], failure] += number
    return dict(found)


def votes_by_hour(session: Session, since: datetime) -> dict[tuple[datetime, str, str], int]:
    """The votes of people since a moment, by hour (UTC), state and reason."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    hour: Any = (
        func.strftime(literal_column("'%Y-%m-%dT%H'"), col(Vote.created_at))
        if sqlite
        else func.to_char(
            func.timezone(literal_column("'UTC'"), col(Vote.created_at)), literal_column("'YYYY-MM-DD\"T\"HH24'")
        )
    )
    query: Any = (
        select(hour, VoteHold.state, VoteHold.reason, func.count())
        .select_from(Vote)
        .join(VoteHold, col(VoteHold.vote_id) == col(Vote.id), isouter=True)
        .where(col(Vote.created_at) >= since, col(Vote.source) == HUMAN)
        .group_by(hour, VoteHold.state, VoteHold.reason)
    )
    return {
        (datetime.fromisoformat(f"{hour}:00:00+00:00"), state or VoteState.ACCEPTED.value, reason or ""): number
        for hour, state, reason, number in session.execute(query)
    }


def listed_battles(session: Session, wanted: BattleFilter, limit: int = PAGE) -> list[ListedBattle]:
    """The newest battles that match."""
    names = model_ids(session)
    prompt = select(Turn.prompt).where(Turn.battle_id == Battle.id, Turn.number == 1).scalar_subquery()
    winner = select(Vote.winner).where(Vote.battle_id == Battle.id, Vote.source == HUMAN).scalar_subquery()
    query: Any = (
        select(Battle, prompt, winner)
        .where(*_conditions(wanted, names))
        .order_by(col(Battle.id).desc())
        .limit(limit)
    )
    rows = session.execute(query).all()
    hidden = hidden_among(session, [battle.id for battle, *_ in rows])
    return [
        ListedBattle(
            id=battle.id,
            public_id=battle.public_id,
            model_a=names[battle.model_a_id],
            model_b=names[battle.model_b_id],
            status=battle.status,
            shared=battle.shared,
            prompt=prompt or "",
            voter=battle.voter,
            winner=winner,
            created_at=battle.created_at,
            hidden=hidden.get(battle.id),
        )
        for battle, prompt, winner in rows
    ]


def votes_of_battle(session: Session, battle_id: int) -> list[Vote]:
    """The votes of a battle, in order."""
    return list(session.exec(select(Vote).where(Vote.battle_id == battle_id).order_by(col(Vote.id))))


def _conditions(wanted: BattleFilter, names: Mapping[int, str]) -> list[ColumnElement[bool]]:
    conditions = [col(Battle.status) != BattleStatus.JUDGED]
    if wanted.day is not None:
        conditions += _on(wanted.day)
    if wanted.model:
        number = next((number for number, name in names.items() if name == wanted.model), -1)
        conditions.append(or_(col(Battle.model_a_id) == number, col(Battle.model_b_id) == number))
    if wanted.step is not None:
        conditions += [_blind(), STEP_CONDITIONS[wanted.step]]
    if wanted.shared:
        conditions.append(col(Battle.shared).is_(True))
    if wanted.hidden:
        conditions.append(is_hidden(Battle.id))
    if wanted.reported:
        conditions.append(col(Battle.id).in_(select(Report.battle_id)))
    if wanted.voter:
        conditions.append(col(Battle.voter) == wanted.voter)
    if wanted.hour is not None or wanted.since is not None or wanted.state:
        conditions.append(col(Battle.id).in_(_votes(wanted)))
    if wanted.failure:
        failed = _completions().where(col(CompletionRow.failure) == wanted.failure)
        conditions.append(failed.exists())
    if wanted.before is not None:
        conditions.append(col(Battle.id) < wanted.before)
    return conditions


def _votes(wanted: BattleFilter) -> Any:
    """The battles of the votes of an hour in a state."""
    held = select(VoteHold.vote_id)
    query = select(Vote.battle_id).where(Vote.source == HUMAN)
    if wanted.hour is not None:
        query = query.where(
            col(Vote.created_at) >= wanted.hour, col(Vote.created_at) < wanted.hour + timedelta(hours=1)
        )
    if wanted.since is not None:
        query = query.where(col(Vote.created_at) >= wanted.since)
    if wanted.reason:
        held = held.where(VoteHold.reason == wanted.reason)
    if wanted.state == VoteState.ACCEPTED:
        query = query.where(col(Vote.id).not_in(held))
    elif wanted.state:
        query = query.where(col(Vote.id).in_(held.where(VoteHold.state == wanted.state)))
    return query


def _on(day: date) -> list[ColumnElement[bool]]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [col(Battle.created_at) >= start, col(Battle.created_at) < start + DAY]


def _blind() -> ColumnElement[bool]:
    """Only blind battles lead to a vote."""
    return and_(col(Battle.mode) == Mode.BLIND, col(Battle.status) != BattleStatus.JUDGED)


def _completions() -> Any:
    return (
        select(CompletionRow.id)
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .where(col(Turn.battle_id) == col(Battle.id))
        .correlate(Battle)
    )


def _status(*wanted: BattleStatus) -> ColumnElement[bool]:
    return col(Battle.status).in_(wanted)


_STOPPED = (
    _completions()
    .where(col(CompletionRow.status).in_((CompletionStatus.STOPPED, CompletionStatus.ABANDONED)))
    .exists()
)
_CUT = and_(_status(BattleStatus.ABANDONED), _STOPPED)
_PENDING = (
    select(PendingVote.battle_id).where(col(PendingVote.battle_id) == col(Battle.id)).correlate(Battle).exists()
)
_OPEN = _status(BattleStatus.OPEN)
STEP_CONDITIONS: Mapping[Step, ColumnElement[bool]] = {
    Step.STARTED: true(),
    Step.RUNNING: _status(BattleStatus.RUNNING),
    Step.FAILED: _status(BattleStatus.FAILED),
    Step.STOPPED: _CUT,
    Step.ANSWERED: and_(_status(BattleStatus.OPEN, BattleStatus.VOTED, BattleStatus.ABANDONED), ~_CUT),
    Step.WAITING: and_(_OPEN, ~_PENDING),
    Step.LEFT: and_(_status(BattleStatus.ABANDONED), ~_CUT),
    Step.VOTED: or_(_status(BattleStatus.VOTED), and_(_OPEN, _PENDING)),
    Step.UNDOABLE: and_(_OPEN, _PENDING),
    Step.REVEALED: _status(BattleStatus.VOTED),
}
