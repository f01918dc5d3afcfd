"""Queries of the states of votes: those that do not count now, numbers by state and reason, and what changed them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, or_, select

from arena.rules.seals import published_voter
from arena.rules.set_aside import Aside, spans_of
from arena.rules.vote_states import VoteState, sentence_of
from arena.rules.votes import HUMAN
from arena.store.judgeable_battles import parts
from arena.store.ledger import as_sealed, ledger_key
from arena.store.models import model_ids
from arena.store.query_filters import for_boards, is_control, of_source
from arena.store.schema.battles import Battle, Vote
from arena.store.schema.vote_states import VoteHold, VoteStateChange, VoteStateEvent

AT_ONCE = 5_000  # ids in one statement: databases limit its parameters
PAGE = 100


@dataclass(frozen=True)
class HeldFilter:
    """Conditions on held votes; without any, every held vote matches. `day` is that of the vote (UTC)."""

    state: str | None = None
    reason: str | None = None
    voter: str | None = None  # as it is stored
    model: str | None = None
    day: date | None = None


EVERY_HELD = HeldFilter()


@dataclass(frozen=True)
class HeldVote:
    """A vote that does not count, its battle, and the event that holds it. `set_at` is that of the event."""

    vote: int
    battle: str
    model_a: str
    model_b: str
    winner: str
    source: str
    voter: str
    created_at: datetime
    state: VoteState
    reason: str
    detail: str
    check_version: str
    set_by: str
    set_at: datetime
    event: int

    @classmethod
    def of(cls, names: Mapping[int, str], vote: Vote, battle: Battle, event: VoteStateEvent) -> HeldVote:
        """The vote of a battle as an event holds it; `names` are those of all models by id."""
        return cls(
            vote=vote.id or 0,
            battle=battle.public_id,
            model_a=names[battle.model_a_id],
            model_b=names[battle.model_b_id],
            winner=vote.winner,
            source=vote.source,
            voter=vote.voter,
            created_at=vote.created_at,
            state=VoteState(event.state),
            reason=event.reason,
            detail=event.detail,
            check_version=event.check_version,
            set_by=event.set_by,
            set_at=event.set_at,
            event=event.id or 0,
        )


def held(
    session: Session, wanted: HeldFilter = EVERY_HELD, after: int | None = None, limit: int | None = PAGE
) -> list[HeldVote]:
    """The held votes that meet the conditions, the newest first; the next page is `after` the last vote of this one."""
    names = model_ids(session)
    query: Any = (
        select(Vote, Battle, VoteStateEvent)
        .join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(VoteStateEvent, col(VoteStateEvent.id) == col(VoteHold.event_id))
        .where(*_conditions(session, wanted, after))
        .order_by(col(Vote.id).desc())
        .limit(limit)
    )
    return [HeldVote.of(names, *row) for row in session.execute(query)]


def held_ids(session: Session, wanted: HeldFilter, after: int | None = None) -> list[int]:
    """The ids of the held votes that meet the conditions, in order; those below `after`, if it is given."""
    return sorted(number or 0 for number in session.exec(_matching(session, wanted, after)))


def number_and_newest(session: Session, wanted: HeldFilter) -> tuple[int, int]:
    """The number of held votes that meet the conditions, and the id of the newest, or 0."""
    ids = _matching(session, wanted, None).subquery()
    number, newest = session.exec(select(func.count(), func.max(ids.c.id)).select_from(ids)).one()
    return number, newest or 0


def votes_cast_by(session: Session, vote_ids: Sequence[int], voters: Collection[str]) -> list[int]:
    """Those of the votes that one of the voters cast, in order."""
    found: list[int] = []
    for part in parts(vote_ids if voters else (), AT_ONCE):
        query = select(Vote.id).where(col(Vote.id).in_(part), col(Vote.voter).in_(voters), Vote.source == HUMAN)
        found += [number or 0 for number in session.exec(query)]
    return sorted(found)


def vote_ids_of(session: Session, voter: str, source: str = HUMAN) -> list[int]:
    """The ids of the votes of a stored voter, in order."""
    query = (
        select(Vote.id)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(Battle.voter == voter, Vote.voter == voter, Vote.source == source)
    )
    return sorted(number or 0 for number in session.exec(query))


def _matching(session: Session, wanted: HeldFilter, after: int | None) -> Any:
    """A query of the ids of the held votes that meet the conditions."""
    return (
        select(Vote.id)
        .join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(*_conditions(session, wanted, after))
    )


def _conditions(session: Session, wanted: HeldFilter, after: int | None) -> list[ColumnElement[bool]]:
    conditions = []
    if wanted.state is not None:
        conditions.append(col(VoteHold.state) == wanted.state)
    if wanted.reason is not None:
        conditions.append(col(VoteHold.reason) == wanted.reason)
    if wanted.voter is not None:
        conditions.append(col(Vote.voter) == wanted.voter)
    if wanted.model is not None:
        number = next((number for number, name in model_ids(session).items() if name == wanted.model), -1)
        conditions.append(or_(col(Battle.model_a_id) == number, col(Battle.model_b_id) == number))
    if wanted.day is not None:
        start = datetime(wanted.day.year, wanted.day.month, wanted.day.day, tzinfo=UTC)
        conditions += [col(Vote.created_at) >= start, col(Vote.created_at) < start + timedelta(days=1)]
    if after is not None:
        conditions.append(col(Vote.id) < after)
    return conditions


@dataclass(frozen=True)
class VoteStatus:
    """The state of a vote, with the event that gave it, if any did."""

    state: VoteState
    reason: str = ""
    event: int | None = None


def vote_states(session: Session, vote_ids: Sequence[int]) -> dict[int, VoteStatus]:
    """The states of votes by id."""
    found = dict.fromkeys(vote_ids, VoteStatus(VoteState.ACCEPTED))
    for part in parts(vote_ids, AT_ONCE):
        newest = _newest_events().where(col(VoteStateChange.vote_id).in_(part)).subquery()
        query: Any = select(newest.c.vote_id, VoteStateEvent).join(
            newest, newest.c.event_id == col(VoteStateEvent.id)
        )
        for vote, event in session.execute(query):
            found[vote] = VoteStatus(VoteState(event.state), event.reason, event.id)
    return found


def counts_by_state_and_reason(
    session: Session,
    since: datetime | None = None,
    until: datetime | None = None,
    source: str | None = HUMAN,
    *,
    boards: bool = False,
) -> dict[tuple[VoteState, str], int]:
    """The number of votes of a source (see `of_source`) in each state for each reason, of those cast from `since` on
    and before `until`; with `boards` without votes on control battles and on private models, which count on no board.

    Accepted votes have no reason, also those that were pending.
    """
    within = [of_source(Vote.source, source)]
    within += [] if since is None else [col(Vote.created_at) >= since]
    within += [] if until is None else [col(Vote.created_at) < until]
    within += [for_boards()] if boards else []
    votes = session.exec(select(func.count()).select_from(Vote).where(*within)).one()
    newest = _newest_events().subquery()
    query: Any = (
        select(VoteStateEvent.state, VoteStateEvent.reason, func.count())
        .join(newest, newest.c.event_id == col(VoteStateEvent.id))
        .join(Vote, col(Vote.id) == newest.c.vote_id)
        .where(col(VoteStateEvent.state) != VoteState.ACCEPTED, *within)
        .group_by(VoteStateEvent.state, VoteStateEvent.reason)
    )
    changed = {(VoteState(state), reason): int(number) for state, reason, number in session.execute(query)}
    return {(VoteState.ACCEPTED, ""): votes - sum(changed.values()), **changed}


def votes_apart(session: Session) -> dict[str, int]:
    """The number of people's votes that count on no board because of their battle: `control` ones, and those on `private`
    models.
    """
    people = select(func.count()).select_from(Vote).where(Vote.source == HUMAN)
    control = session.exec(people.where(is_control(Vote.battle_id))).one()
    return {"control": control, "private": session.exec(people.where(~for_boards())).one() - control}


def _newest_events() -> Any:
    """(vote_id, event_id) of each vote that ever changed its state."""
    event = func.max(VoteStateChange.event_id).label("event_id")
    return select(col(VoteStateChange.vote_id).label("vote_id"), event).group_by(col(VoteStateChange.vote_id))


def changes(session: Session, after: int = 0, limit: int | None = None) -> list[VoteStateEvent]:
    """The events with numbers above `after`, in order."""
    query = select(VoteStateEvent).where(col(VoteStateEvent.id) > after)
    return list(session.exec(query.order_by(col(VoteStateEvent.id)).limit(limit)))


def changes_newest_first(session: Session, limit: int) -> list[VoteStateEvent]:
    """The newest events."""
    return list(session.exec(select(VoteStateEvent).order_by(col(VoteStateEvent.id).desc()).limit(limit)))


def history_of(session: Session, vote_id: int) -> list[VoteStateEvent]:
    """The events of a vote, in order."""
    query = (
        select(VoteStateEvent)
        .join(VoteStateChange, col(VoteStateChange.event_id) == col(VoteStateEvent.id))
        .where(VoteStateChange.vote_id == vote_id)
    )
    return list(session.exec(query.order_by(col(VoteStateEvent.id))))


def last_board_event(session: Session) -> int:
    """The number of the newest event that changed a board, or 0."""
    query = select(func.max(VoteStateEvent.id)).where(col(VoteStateEvent.changes_boards).is_(True))
    return session.exec(query).one() or 0


def held_asides(session: Session) -> list[Aside]:
    """The held votes as they are published: by state and reason, without who found it and how."""
    query = (
        select(VoteHold.state, VoteHold.reason, VoteHold.vote_id, VoteStateEvent.set_at)
        .join(VoteStateEvent, col(VoteStateEvent.id) == col(VoteHold.event_id))
        .order_by(col(VoteHold.vote_id))
    )
    votes: dict[tuple[str, str], list[int]] = {}
    since: dict[tuple[str, str], datetime] = {}
    for state, reason, number, at in session.exec(query):
        votes.setdefault((state, reason), []).append(number)
        since[state, reason] = min(at, since.get((state, reason), at))
    return [
        Aside(*key, sentence_of(*key), as_sealed(since[key]), spans_of(numbers))
        for key, numbers in sorted(votes.items())
    ]


def held_counts(session: Session) -> dict[str, int]:
    """The number of held votes of all sources by state."""
    query = select(VoteHold.state, func.count()).group_by(col(VoteHold.state))
    return dict(session.exec(query).all())


def stored_voter(session: Session, name: str) -> str | None:
    """The voter as stored whose votes carry a name, or whose pseudonym in publications it is; None without votes."""
    if session.exec(select(Vote.id).where(Vote.voter == name).limit(1)).first() is not None:
        return name
    key = ledger_key(session)
    voters = session.exec(select(Vote.voter).where(Vote.source == HUMAN).distinct())
    return next((voter for voter in voters if published_voter(key, voter) == name), None)


def unknown_votes(session: Session, ids: Sequence[int]) -> list[int]:
    """Those of the numbers that no vote has, in order."""
    known: set[int] = set()
    for part in parts(ids, AT_ONCE):
        known.update(number or 0 for number in session.exec(select(Vote.id).where(col(Vote.id).in_(part))))
    return sorted(set(ids) - known)
