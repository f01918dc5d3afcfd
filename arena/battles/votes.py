"""The vote of a battle: who may cast it, when it counts, and the texts of refusals."""

from __future__ import annotations

from arena.battles.live_turns import BattleRefused
from arena.battles.views import interrupted, vote_text
from arena.rules.votes import HUMAN, WINNERS
from arena.store import Session
from arena.store import battles as stored
from arena.store.battles import StoredBattle
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.votes import add_vote

INTERRUPTED = (
    "The arena restarted, or this page was closed, while the models were writing, so these answers are not whole. "
    "Choose Regenerate to run both models again, or start a new battle."
)
NOT_SAVED = (
    "The arena cannot save answers at the moment, so your vote was not counted. "
    "Both answers are kept. Vote again in a minute."
)
NOT_COUNTED = {
    BattleStatus.RUNNING: "Both models are still writing. Wait until they finish.",
    BattleStatus.FAILED: "A model failed, so this battle does not count. Start a new battle.",
    BattleStatus.ABANDONED: "This battle was closed without a vote. Start a new battle.",
}


class VoteRefused(BattleRefused):
    """The vote does not count; nothing changed. The text is for the voter."""


def check_winner(winner: str) -> None:
    """Raises `VoteRefused` for a vote that does not exist."""
    if winner not in WINNERS:
        raise VoteRefused(f"{winner!r} is not a vote. Choose one of {', '.join(WINNERS)}.")


def check_voter(battle: StoredBattle | None, voter: str) -> StoredBattle:
    """The battle, if it belongs to the voter. Raises `VoteRefused`."""
    if battle is None:
        raise VoteRefused("This battle does not exist. Start a new battle.")
    if battle.voter != voter:
        raise VoteRefused("This battle belongs to another voter. Start a new battle.")
    return battle


def cast_vote(session: Session, voter: str, public_id: str, winner: str) -> None:
    """Check the status inside the transaction, then store and count the vote.

    Raises `WrongStatus` unless the battle is open, `VoteRefused` if its last turn was interrupted, and `AlreadyVoted`.
    """
    battle = stored.find_battle(session, public_id=public_id)
    assert battle is not None
    if battle.status is not BattleStatus.OPEN:
        raise stored.WrongStatus(battle.status)
    if interrupted(battle):
        raise VoteRefused(INTERRUPTED)
    last = battle.turns[-1].completions.values()
    stopped_early = any(written.status is CompletionStatus.STOPPED for written in last)
    add_vote(session, battle.id, HUMAN, voter, winner, stopped_early)


def check_counted(battle: StoredBattle, winner: str) -> None:
    """Raises `VoteRefused` unless this vote is the stored one."""
    if battle.winner is None:
        raise VoteRefused(NOT_COUNTED.get(battle.status, "This vote was not counted. Please vote again."))
    if battle.winner != winner:
        raise VoteRefused(f"You have already voted on this battle: {vote_text(battle.winner)}.")
