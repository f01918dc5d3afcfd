"""Appeals: one for each time that a vote is held, limited, and decided by releasing or keeping the vote."""

from __future__ import annotations

import pytest

from arena.battles.appeals import APPEALED, NOT_HELD
from arena.battles.battles import BattleRefused, Battles
from arena.battles.visitor_limits import LimitReached, VisitorLimits
from arena.config import BattleSettings, LimitSettings
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store.appeals import DecidedAlready, Decision, appeals, decide, held_battles, own_holds
from arena.store.quarantine import hold, release
from arena.store.voter_deletion import delete_voter
from arena.store.voter_export import voter_battles
from arena.store.votes import vote_count
from tests.support.arenas import ready, settled

FAST = QuarantineReason.TOO_FAST


async def voted(database, **limits: int) -> tuple[Battles, str]:
    """A battle of ann, whose vote is quarantined."""
    serving = ready()
    visitors = VisitorLimits(serving, LimitSettings(**limits))
    battles = Battles(database, serving, BattleSettings(undo_seconds=0), visitor_limits=visitors)
    await battles.open()
    view = await battles.begin("ann", "Why is the sky blue?")
    battle = (await settled(battles, "ann", view.public_id)).public_id
    await battles.vote("ann", battle, "tie")
    quarantined(database)
    return battles, battle


def quarantined(database):
    with database.write() as session:
        hold(session, [1], VoteState.QUARANTINED, FAST, by="checks", again=True)


async def test_a_vote_is_appealed_once_and_released(database):
    battles, battle = await voted(database)
    await battles.appeal("ann", battle, " I read <b>both</b>\x00. " + "x" * 2000)
    with pytest.raises(BattleRefused, match=APPEALED) as refused:
        await battles.appeal("ann", battle)
    assert refused.value.code == "wrong_status"
    with database.write() as session:
        (appeal,) = appeals(session, undecided=True)
        assert (appeal.held.vote, appeal.held.battle, appeal.held.voter, appeal.held.reason) == (
            1,
            battle,
            "ann",
            FAST,
        )
        assert appeal.text.startswith("I read <b>both</b>. x")
        assert len(appeal.text) == 1000
        assert vote_count(session) == 0
        decided = decide(session, appeal.id, Decision.RELEASE, "The vote is in order.", "rita")
        assert (decided.decision, decided.why, decided.decided_by) == ("release", "The vote is in order.", "rita")
        assert vote_count(session) == 1
        assert appeals(session, undecided=True) == []
        with pytest.raises(DecidedAlready):
            decide(session, appeal.id, Decision.KEEP, "no", "rita")
        with pytest.raises(DecidedAlready):
            decide(session, 99, Decision.KEEP, "no", "rita")


async def test_a_kept_vote_is_not_appealed_again_until_it_is_held_again(database):
    battles, battle = await voted(database)
    await battles.appeal("ann", battle, "please")
    with database.write() as session:
        decide(session, 1, Decision.KEEP, "It was too fast.", "rita")
        own = own_holds(session, held_battles(session, "ann"))[battle]
        assert (own.state, own.reason, own.appealed, own.decision, own.why) == (
            "quarantined", FAST, True, "keep", "It was too fast.")  # fmt: skip
    with pytest.raises(BattleRefused, match=APPEALED):
        await battles.appeal("ann", battle)
    with database.write() as session:
        release(session, [1], "a mistake", "rita")
        assert held_battles(session, "ann") == []
    with pytest.raises(BattleRefused, match=NOT_HELD):
        await battles.appeal("ann", battle)
    quarantined(database)
    await battles.appeal("ann", battle)
    with database.write() as session:
        release(session, [1], "a mistake again", "op")
        assert [(row.decision, row.decided_by) for row in appeals(session)] == [
            ("keep", "rita"),
            ("release", "op"),
        ]


async def test_only_its_voter_appeals_a_vote(sqlite):
    battles, battle = await voted(sqlite)
    for voter, name in (("bob", battle), ("ann", "nothing")):
        with pytest.raises(BattleRefused, match=NOT_HELD) as refused:
            await battles.appeal(voter, name)
        assert refused.value.code == "not_found"


async def test_appeals_are_limited(sqlite):
    battles, battle = await voted(sqlite, appeals_per_voter=1)
    await battles.appeal("ann", battle)
    with pytest.raises(LimitReached, match="You have sent 1 appeals in the last hour"):
        await battles.appeal("ann", battle)


async def test_the_voter_has_the_appeal_in_the_download_and_deletes_its_text(sqlite):
    battles, battle = await voted(sqlite)
    await battles.appeal("ann", battle, "my name is Ann")
    with sqlite.write() as session:
        decide(session, 1, Decision.KEEP, "It was too fast.", "rita")
        (own,) = (row.document for row in voter_battles(session, "ann"))
        assert (own["vote"]["state"], own["vote"]["state_reason"]) == ("quarantined", FAST.sentence)
        assert [(row["text"], row["decision"]) for row in own["vote"]["appeals"]] == [("my name is Ann", "keep")]
        delete_voter(session, "ann")
        assert [(row.text, row.decision) for row in appeals(session)] == [("", "keep")]
        assert vote_count(session) == 0
