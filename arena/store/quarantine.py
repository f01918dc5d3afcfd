"""Votes held and released: pair counts, packed votes and every board change in the transaction of the caller.

A held vote, pending or quarantined, stays in the store, in seals and in exports, and counts on no board.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import delete, text, update
from sqlmodel import Session, col, select

from arena.rules.vote_states import QuarantineReason, VoteState
from arena.rules.votes import OVERALL, WINNERS
from arena.store.held_votes import HeldFilter, HeldVote, changes, counts_by_state_and_reason, held, vote_states
from arena.store.judgeable_battles import parts
from arena.store.packed_votes import PackedVote, add_packed, packed, remove_packed, unpacked
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, PairCount, Vote, now
from arena.store.schema.vote_states import Appeal, VoteHold, VoteStateChange, VoteStateEvent
from arena.store.vote_holds import NewHold, add_changes, add_event, add_holds
from arena.store.votes import COLUMNS, count_many

__all__ = [
    "HeldFilter",
    "HeldVote",
    "NewHold",
    "changes",
    "counts_by_state_and_reason",
    "held",
    "hold",
    "release",
    "vote_states",
]

AT_ONCE = 5_000  # ids in one statement: databases limit its parameters
FEW = 500  # models that a condition names


def hold(
    session: Session,
    vote_ids: Iterable[int],
    state: VoteState,
    reason: QuarantineReason | str,
    *,
    detail: str = "",
    check_version: str = "",
    by: str,
    again: bool = False,
) -> int:
    """Let votes no longer count, as pending or quarantined; returns how many changed their state.

    A pending vote can become quarantined; a quarantined one stays as it is. A vote that was released from this reason
    before is left alone, so that a check does not overrule a reviewer, unless `again`. Unknown ids are skipped.
    """
    given = NewHold(state, reason, by, detail, check_version)
    new, raised = _candidates(session, _locked(session, vote_ids), given, again=again)
    if not new and not raised:
        return 0
    counted = _packed(session, new, held_too=True)
    event = add_event(session, state, given, len(new) + len(raised), changes_boards=bool(counted or raised))
    add_changes(session, event, sorted([*new, *raised]))
    if new:
        add_holds(session, event, given, new)
    for part in parts(raised, AT_ONCE):
        values = {"state": state, "reason": given.reason, "event_id": event}
        session.execute(update(VoteHold).where(col(VoteHold.vote_id).in_(part)).values(values))
    _recount(session, counted, -1)
    return len(new) + len(raised)


def release(session: Session, vote_ids: Iterable[int], why: str, by: str) -> int:
    """Let held votes count again; returns their number. Quarantined ones are released then, pending ones accepted.

    Appeals of their voters are decided with it.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for part in parts(_locked(session, vote_ids), AT_ONCE):
        for row in session.exec(select(VoteHold).where(col(VoteHold.vote_id).in_(part))):
            groups[row.state, row.reason].append(row.vote_id)
    released = sorted(number for numbers in groups.values() for number in numbers)
    for part in parts(released, AT_ONCE):
        session.execute(delete(VoteHold).where(col(VoteHold.vote_id).in_(part)))
        undecided = col(Appeal.vote_id).in_(part), col(Appeal.decided_at).is_(None)
        decided = {"decision": "release", "why": why, "decided_by": by, "decided_at": now()}
        session.execute(update(Appeal).where(*undecided).values(decided))
    counted = _packed(session, released)
    for (state, reason), numbers in sorted(groups.items()):
        given = NewHold(VoteState(state), reason, by, why)
        becomes = VoteState.ACCEPTED if state == VoteState.PENDING else VoteState.RELEASED
        event = add_event(session, becomes, given, len(numbers), changes_boards=bool(counted))
        add_changes(session, event, sorted(numbers))
    _recount(session, counted, 1)
    return len(released)


def _locked(session: Session, vote_ids: Iterable[int]) -> list[int]:
    """The ids of those votes that exist, in order.

    Their battles are locked, so that tags, holds and releases of the same votes exclude each other, and so is the table
    against judges and imports that are set aside meanwhile. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE vote IN ROW EXCLUSIVE MODE"))
    found: dict[int, int] = {}
    for part in parts(sorted(set(vote_ids)), AT_ONCE):
        rows = select(Vote.id, Vote.battle_id).where(col(Vote.id).in_(part))
        found.update((number or 0, battle) for number, battle in session.exec(rows))
    for part in parts(sorted(set(found.values())), AT_ONCE):
        battles = select(Battle.id).where(col(Battle.id).in_(part)).order_by(col(Battle.id))
        session.exec(battles.with_for_update()).all()
    return sorted(found)


def _candidates(
    session: Session, ids: Sequence[int], given: NewHold, *, again: bool
) -> tuple[list[int], list[int]]:
    """The votes that are not held yet, and those that are pending and become quarantined."""
    new: list[int] = []
    raised: list[int] = []
    for part in parts(ids, AT_ONCE):
        held = dict(
            session.exec(select(VoteHold.vote_id, VoteHold.state).where(col(VoteHold.vote_id).in_(part))).all()
        )
        spared = set() if again else _released(session, part, given.reason)
        new += [number for number in part if number not in held and number not in spared]
        if given.state == VoteState.QUARANTINED:
            raised += [number for number in part if held.get(number) == VoteState.PENDING]
    return new, raised


def _released(session: Session, ids: Collection[int], reason: str) -> set[int]:
    """Those of the votes that were released from a reason before."""
    query = (
        select(VoteStateChange.vote_id)
        .join(VoteStateEvent, col(VoteStateEvent.id) == col(VoteStateChange.event_id))
        .where(
            col(VoteStateChange.vote_id).in_(ids),
            VoteStateEvent.state == VoteState.RELEASED,
            VoteStateEvent.reason == reason,
        )
    )
    return set(session.exec(query))


def _packed(session: Session, ids: Sequence[int], held_too: bool = False) -> list[PackedVote]:
    return [
        vote for part in parts(ids, AT_ONCE) for vote in packed(session, col(Vote.id).in_(part), held_too=held_too)
    ]


def _recount(session: Session, votes: Sequence[PackedVote], sign: int) -> None:
    """Add votes to the pair counts and packed votes of their categories, or take them out."""
    if not votes:
        return
    categories = _categories(session, sorted({vote.battle for vote in votes}))
    cells: Counter[tuple[int, int, str, str, str]] = Counter()
    for vote in votes:
        a, b, outcome = unpacked(vote)
        for category in categories[vote.battle]:
            cells[a, b, category, vote.source, COLUMNS[WINNERS[outcome]]] += sign
    count_many(session, cells)
    if sign > 0:
        add_packed(session, ((vote, categories[vote.battle]) for vote in votes))
        return
    _delete_empty(session, {a for a, *_ in cells})
    for category in sorted({name for names in categories.values() for name in names}):
        remove_packed(session, (vote for vote in votes if category in categories[vote.battle]), category)


def _categories(session: Session, battles: Sequence[int]) -> Mapping[int, set[str]]:
    """The categories of battles."""
    found: dict[int, set[str]] = {}
    for part in parts(battles, AT_ONCE):
        own = select(Battle.id, Battle.category).where(col(Battle.id).in_(part))
        found.update((number or 0, {OVERALL, category}) for number, category in session.exec(own))
        more = select(BattleCategory.battle_id, BattleCategory.category)
        for number, category in session.exec(more.where(col(BattleCategory.battle_id).in_(part))):
            found[number].add(category)
    return found


def _delete_empty(session: Session, left: Collection[int]) -> None:
    """Delete the pair counts that are nothing, of models shown on the left: a source without votes is none."""
    of = [col(PairCount.model_a_id).in_(left)] if len(left) <= FEW else []
    session.execute(delete(PairCount).where(*of, *(getattr(PairCount, name) == 0 for name in COLUMNS.values())))
