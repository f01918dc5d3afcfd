"""The vote of a battle: who may cast it, when it counts, and the texts of refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from arena.battles.refusals import INTERRUPTED, NO_VOTE_HERE, WITHHELD, BattleRefused, VoteRefused
from arena.battles.views import interrupted, stopped_early
from arena.rules.messages import gettext_noop
from arena.rules.modes import Mode
from arena.rules.refusals import Code
from arena.rules.vote_reasons import REASONS, unknown_reason
from arena.rules.votes import HUMAN, WINNERS
from arena.store import Session, pending_votes
from arena.store import battles as stored
from arena.store.pending_votes import StoredPendingVote
from arena.store.schema.battles import BattleStatus
from arena.store.stored_battles import StoredBattle
from arena.store.text_checks import Texts
from arena.store.vote_holds import NewHold
from arena.store.votes import add_vote

__all__ = ["BattleRefused", "VoteRefused"]

Check = Callable[[Session, StoredBattle], NewHold | None]  # why a vote does not count, if it does not

VOTED_ALREADY = {
    "model_a": gettext_noop("You have already voted on this battle: A is better."),
    "model_b": gettext_noop("You have already voted on this battle: B is better."),
    "tie": gettext_noop("You have already voted on this battle: tie."),
    "both_bad": gettext_noop("You have already voted on this battle: both are bad."),
}
NOT_COUNTED: dict[BattleStatus, tuple[str, Code]] = {
    BattleStatus.RUNNING: (
        gettext_noop("Both models are still writing. Wait until they finish."),
        "still_running",
    ),
    BattleStatus.FAILED: (
        gettext_noop("A model failed, so this battle does not count. Start a new battle."),
        "wrong_status",
    ),
    BattleStatus.ABANDONED: (
        gettext_noop("This battle was closed without a vote. Start a new battle."),
        "wrong_status",
    ),
}
CLOSED: tuple[str, Code] = (gettext_noop("This vote was not counted. Please vote again."), "wrong_status")


def check_vote(winner: str, reasons: Sequence[str] = ()) -> None:
    """Raises `VoteRefused` for a vote or a reason that does not exist."""
    if winner not in WINNERS:
        raise VoteRefused(
            "{winner} is not a vote. Choose one of {winners}.",
            code="bad_value",
            winner=repr(winner[:40]),
            winners=", ".join(WINNERS),
        )
    if (unknown := unknown_reason(reasons)) is not None:
        raise VoteRefused(
            "{reason} is not a reason. Choose from {reasons}.",
            code="bad_value",
            reason=repr(unknown[:40]),
            reasons=", ".join(REASONS),
        )


def check_voter(battle: StoredBattle | None, voter: str) -> StoredBattle:
    """The battle, if it belongs to the voter. Raises `VoteRefused`."""
    if battle is None:
        raise VoteRefused("This battle does not exist. Start a new battle.", code="not_found")
    if battle.voter != voter:
        raise VoteRefused("This battle belongs to another voter. Start a new battle.", code="not_found")
    if battle.mode is not Mode.BLIND:
        raise VoteRefused(NO_VOTE_HERE, code="wrong_status")
    return battle


def unchecked(_session: Session, _battle: StoredBattle) -> None:
    """The check that every vote passes."""


def count_vote(
    session: Session,
    voter: str,
    public_id: str,
    winner: str,
    reasons: Sequence[str] | None = None,
    check: Check = unchecked,
) -> StoredBattle:
    """Count a vote now, or the pending one, if the check has nothing against it; returns the battle.

    Raises as `save_vote` does, and `AlreadyVoted`.
    """
    battle = _votable(session, public_id)
    pending = _same_vote(battle, winner)
    if pending is not None:
        pending_votes.remove_pending(session, battle.id)
    kept = _given(reasons, pending)
    held = check(session, battle)
    add_vote(session, battle.id, HUMAN, voter, winner, stopped_early(battle), kept, held)
    counts = held is None and not battle.for_no_board
    return replace(
        battle, status=BattleStatus.VOTED, winner=winner, reasons=kept, pending=None, for_no_board=not counts
    )


def save_vote(
    session: Session, voter: str, public_id: str, winner: str, reasons: Sequence[str] | None, due_at: datetime
) -> StoredBattle:
    """Save a vote that counts when it is due. Returns the battle.

    The same vote again renews the time in which it can be undone, and has other reasons if they are given.

    Raises `WrongStatus` unless the battle is open, and `VoteRefused` if it takes no votes, its last turn was
    interrupted, or another vote is pending.
    """
    battle = _votable(session, public_id)
    pending = _same_vote(battle, winner)
    given = _given(reasons, pending)
    if pending is None:
        pending_votes.add_pending(session, battle.id, voter, winner, given, due_at)
        return replace(battle, pending=StoredPendingVote(winner, given, due_at))
    renewed = replace(pending, reasons=given, due_at=due_at)
    pending_votes.renew_pending(session, battle.id, renewed)
    return replace(battle, pending=renewed)


def _given(reasons: Sequence[str] | None, pending: StoredPendingVote | None) -> tuple[str, ...]:
    """The reasons of a vote without repetition; without any statement those of the pending vote."""
    if reasons is None:
        return pending.reasons if pending else ()
    return tuple(dict.fromkeys(reasons))


def count_pending(
    session: Session, public_id: str, due_by: datetime | None = None, check: Check = unchecked
) -> bool:
    """Count the pending vote of a battle, if it is due by then and passes; returns whether this transaction cast it.

    Raises `WrongStatus` for a battle that takes no vote any more.
    """
    battle = stored.lock_open(session, public_id)
    pending = battle.pending
    if pending is None or (due_by is not None and pending.due_at > due_by):
        return False
    if not pending_votes.remove_pending(session, battle.id):
        return False
    held, early = check(session, battle), stopped_early(battle)
    add_vote(session, battle.id, HUMAN, battle.voter, pending.winner, early, pending.reasons, held)
    return True


def _votable(session: Session, public_id: str) -> StoredBattle:
    """The battle, locked against the next turn, if a vote on it counts now."""
    battle = stored.lock_open(session, public_id)
    if battle.mode is not Mode.BLIND:
        raise VoteRefused(NO_VOTE_HERE, code="wrong_status")
    if interrupted(battle):
        raise VoteRefused(INTERRUPTED, code="interrupted")
    if battle.texts == Texts.WITHHELD and battle.pending is None:
        raise VoteRefused(WITHHELD, code="withheld")
    return battle


def _same_vote(battle: StoredBattle, winner: str) -> StoredPendingVote | None:
    """The pending vote. Raises `VoteRefused` when it is another one."""
    if battle.pending is not None and battle.pending.winner != winner:
        raise VoteRefused(VOTED_ALREADY[battle.pending.winner], code="already_voted")
    return battle.pending


def check_counted(battle: StoredBattle, winner: str) -> None:
    """Raises `VoteRefused` unless this vote is the stored one, pending or counted."""
    stored_winner = battle.winner or (battle.pending.winner if battle.pending else None)
    if stored_winner is None and battle.texts == Texts.WITHHELD:
        raise VoteRefused(WITHHELD, code="withheld")
    if stored_winner is None:
        text, code = NOT_COUNTED.get(battle.status, CLOSED)
        raise VoteRefused(text, code=code)
    if stored_winner != winner:
        raise VoteRefused(VOTED_ALREADY[stored_winner], code="already_voted")
