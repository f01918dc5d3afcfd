"""A vote can be undone until it counts, and counts exactly once: with two servers, at a turn, and after a kill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy.event import listen, remove
from sqlmodel import select, update

from arena.battles.battles import BattleRefused, Battles, VoteRefused
from arena.battles.visitor_limits import LimitReached, VisitorLimits
from arena.config import BattleSettings, LimitSettings
from arena.store import Database, running_turns
from arena.store.pending_votes import VotePending
from arena.store.schema.battles import BattleStatus, PendingVote, Vote, now
from arena.store.votes import recount
from tests.support.arenas import emptied, opened_battles, ready, settled


async def fought(battles: Battles, voter: str = "ann") -> str:
    view = await battles.begin(voter, "Why is the sky blue?")
    return (await settled(battles, voter, view.public_id)).public_id


async def opened(database: Database, **limits: object) -> Battles:
    return await opened_battles(database, **{"undo_seconds": 30, **limits})


def counted(database: Database) -> list[tuple[str, str | None]]:
    with database.read() as session:
        assert recount(session) == []
        return [(vote.winner, vote.reasons) for vote in session.exec(select(Vote))]


def time_passes(database: Database) -> None:
    """Every pending vote is due."""
    with database.write() as session:
        session.execute(update(PendingVote).values(due_at=now() - timedelta(seconds=1)))


async def test_a_vote_counts_and_names_the_models_only_when_it_can_no_longer_be_undone(database):
    battles = await opened(database)
    battle = await fought(battles)
    view = await battles.vote("ann", battle, "tie", reasons=["clear", "correct"])
    assert (view.status, view.can_vote, view.can_continue) == (BattleStatus.OPEN, False, False)
    assert (view.winner, view.model_a, view.model_b) == (None, None, None)
    assert (view.vote.winner, view.vote.counts) == ("tie", False)
    assert timedelta(seconds=20) < view.vote.undo_until - now() < timedelta(seconds=31)
    assert await battles.count_due_votes() == 0
    assert counted(database) == []
    time_passes(database)
    assert await battles.count_due_votes() == 1
    view = await battles.view("ann", battle)
    assert (view.status, view.vote.counts, view.vote.undo_until) == (BattleStatus.VOTED, True, None)
    assert view.vote.reasons == ("clear", "correct")
    assert view.model_a
    assert counted(database) == [("tie", '["clear", "correct"]')]
    assert await battles.count_due_votes() == 0


@pytest.mark.parametrize("final", [False, True])
async def test_a_vote_reads_its_battle_once_and_once_more_under_its_lock(sqlite, final):
    battles = await opened(sqlite)
    battle = await fought(battles)
    for reasons in (["clear", "clear"], ["correct"]):
        with loads(sqlite) as counted_loads:
            voted = await battles.vote("ann", battle, "tie", reasons=reasons)
        assert len(counted_loads) == 2
        assert voted == await battles.view("ann", battle)
    with loads(sqlite) as counted_loads:
        voted = await (battles.vote("ann", battle, "tie", final=True) if final else battles.undo("ann", battle))
    assert len(counted_loads) == 2
    assert voted == await battles.view("ann", battle)
    assert counted(sqlite) == ([("tie", '["correct"]')] if final else [])


@contextmanager
def loads(database: Database) -> Iterator[list[str]]:
    """The statements that load the turns of a battle, in order."""
    statements: list[str] = []

    def note(_connection, _cursor, statement: str, *_more: object) -> None:
        if "turn.id AS turn_id" in statement:
            statements.append(statement.split(",")[0])

    listen(database.engine, "before_cursor_execute", note)
    yield statements
    remove(database.engine, "before_cursor_execute", note)


async def test_a_vote_that_is_undone_leaves_the_battle_as_it_was(database):
    battles = await opened(database)
    battle = await fought(battles)
    before = await battles.view("ann", battle)
    await battles.vote("ann", battle, "model_a")
    assert await battles.undo("ann", battle) == before
    assert await battles.undo("ann", battle) == before  # a repeated request
    time_passes(database)
    assert await battles.count_due_votes() == 0
    assert counted(database) == []
    await battles.vote("ann", battle, "model_b", final=True)
    assert counted(database) == [("model_b", None)]


async def test_a_vote_that_counts_cannot_be_undone(sqlite):
    battles = await opened(sqlite)
    battle = await fought(battles)
    await battles.vote("ann", battle, "tie", final=True)
    with pytest.raises(VoteRefused, match="cannot be undone") as refused:
        await battles.undo("ann", battle)
    assert refused.value.code == "too_late"
    with pytest.raises(VoteRefused) as refused:
        await battles.undo("bob", battle)
    assert refused.value.code == "not_found"


async def test_a_pending_vote_keeps_the_battle_from_changing(sqlite):
    battles = await opened(sqlite)
    battle = await fought(battles)
    await battles.vote("ann", battle, "tie")
    for change in (
        battles.continue_("ann", battle, "And then?"),
        battles.regenerate("ann", battle),
        battles.edit("ann", battle, "Why is the sea blue?"),
        battles.vote("ann", battle, "model_a"),
    ):
        with pytest.raises(BattleRefused, match="You have already voted on this battle") as refused:
            await change
        assert refused.value.code == "already_voted"


async def test_the_same_vote_again_renews_the_time_to_undo_it_changes_its_reasons_or_counts_it(sqlite):
    battles = await opened(sqlite)
    battle = await fought(battles)
    first = await battles.vote("ann", battle, "model_a")
    again = await battles.vote("ann", battle, "model_a", reasons=["correct"])
    assert again.vote.undo_until > first.vote.undo_until
    assert (await battles.view("ann", battle)).vote == again.vote
    assert (await battles.vote("ann", battle, "model_a")).vote.reasons == ("correct",)
    assert (await battles.vote("ann", battle, "model_a", final=True)).vote.counts
    assert counted(sqlite) == [("model_a", '["correct"]')]


async def test_the_only_reason_can_be_taken_back(sqlite):
    battles = await opened(sqlite)
    battle = await fought(battles)
    await battles.vote("ann", battle, "model_a", reasons=["correct"])
    assert (await battles.vote("ann", battle, "model_a", reasons=[])).vote.reasons == ()
    await battles.vote("ann", battle, "model_a", final=True)
    assert counted(sqlite) == [("model_a", None)]


async def test_a_reason_that_does_not_exist_is_refused(sqlite):
    battles = await opened(sqlite)
    battle = await fought(battles)
    with pytest.raises(VoteRefused, match="'pretty' is not a reason") as refused:
        await battles.vote("ann", battle, "tie", reasons=["clear", "pretty"])
    assert refused.value.code == "bad_value"
    assert (await battles.view("ann", battle)).vote is None


async def test_leaving_counts_a_pending_vote(sqlite):
    battles = await opened(sqlite)
    battle = await fought(battles)
    await battles.vote("ann", battle, "model_b")
    await battles.leave("ann", battle)
    assert counted(sqlite) == [("model_b", None)]
    assert (await battles.view("ann", battle)).status is BattleStatus.VOTED


async def test_a_stale_battle_with_a_pending_vote_is_not_closed(sqlite):
    battles = await opened(sqlite, abandon_after_hours=1e-9)
    battle = await fought(battles)
    await battles.vote("ann", battle, "tie")
    await asyncio.sleep(0.01)
    assert await battles.close_stale() == 0
    time_passes(sqlite)
    assert await battles.count_due_votes() == 1


async def test_a_vote_is_limited_when_it_is_cast_and_not_again_when_it_counts(sqlite):
    serving = ready()
    limits = VisitorLimits(serving, LimitSettings(votes_per_voter=2))
    battles = Battles(sqlite, serving, BattleSettings(undo_seconds=30), visitor_limits=limits)
    await battles.open()
    first, second, third = [await fought(battles) for _ in range(3)]
    await battles.vote("ann", first, "tie")
    await battles.vote("ann", first, "tie", reasons=["clear"])
    await battles.vote("ann", first, "tie", final=True)
    await battles.vote("ann", second, "tie")
    with pytest.raises(LimitReached) as refused:
        await battles.vote("ann", third, "tie")
    assert refused.value.code == "limit"
    time_passes(sqlite)
    assert await battles.count_due_votes() == 1


async def test_two_servers_count_each_vote_once(postgres_arenas):
    one, two = postgres_arenas
    cast = [await fought(one, f"voter {number}") for number in range(8)]
    for number, battle in enumerate(cast):
        await one.vote(f"voter {number}", battle, "tie")
    time_passes(one.database)
    done = await asyncio.gather(*(server.count_due_votes() for server in (one, two, one, two)))
    assert sum(done) == len(cast) == len(counted(one.database))


@pytest.mark.slow
async def test_of_an_undo_and_a_count_at_once_one_succeeds(postgres_arenas):
    one, two = postgres_arenas
    undone = 0
    for number in range(12):
        voter = f"voter {number}"
        battle = await fought(one, voter)
        await one.vote(voter, battle, "model_a")
        time_passes(one.database)
        _, answer = await asyncio.gather(two.count_due_votes(), one.undo(voter, battle), return_exceptions=True)
        view = await one.view(voter, battle)
        if isinstance(answer, VoteRefused):
            assert (answer.code, view.status) == ("too_late", BattleStatus.VOTED)
        else:
            assert (view.status, view.vote) == (BattleStatus.OPEN, None)
            undone += 1
    assert len(counted(one.database)) == 12 - undone


async def test_a_vote_and_the_next_turn_on_two_servers_exclude_each_other(postgres_arenas):
    one, two = postgres_arenas
    for number in range(8):
        voter = f"voter {number}"
        battle = await fought(one, voter)
        results = await asyncio.gather(
            one.vote(voter, battle, "tie"), two.continue_(voter, battle, "more"), return_exceptions=True
        )
        refusals = [result for result in results if isinstance(result, BaseException)]
        assert {refusal.code for refusal in refusals} <= {
            "already_voted",
            "not_begun",
            "still_running",
            "wrong_status",
        }
        assert len(refusals) < 2
        await settled(two, voter, battle)
        view = await one.view(voter, battle)
        assert (view.status, view.interrupted) == (BattleStatus.OPEN, False)
        assert (view.vote is None) == (results[0] in refusals)


async def test_votes_at_once_are_one_pending_vote(postgres_arenas):
    one, two = postgres_arenas
    battle = await fought(one)
    winners = ["model_a", "model_b", "tie", "both_bad"] * 2
    results = await asyncio.gather(
        *((one, two)[place % 2].vote("ann", battle, winner) for place, winner in enumerate(winners)),
        return_exceptions=True,
    )
    saved = {result.vote.winner for result in results if not isinstance(result, BaseException)}
    refused = [result for result in results if isinstance(result, BaseException)]
    assert len(saved) == 1
    assert {type(result) for result in refused} == {VoteRefused}
    time_passes(one.database)
    finals = await asyncio.gather(
        *(server.vote("ann", battle, *saved, final=True) for server in (one, two)), one.count_due_votes()
    )
    assert [view.vote.counts for view in finals[:2]] == [True, True]
    assert [winner for winner, _ in counted(one.database)] == list(saved)


def test_a_turn_cannot_be_taken_under_a_pending_vote(database):
    asyncio.run(_pending(database))
    with database.read() as session:
        number = session.exec(select(PendingVote.battle_id)).one()
    with pytest.raises(VotePending), database.write() as session:
        running_turns.take(session, number, "server")


async def _pending(database: Database) -> None:
    battles = await opened(database)
    await battles.vote("ann", await fought(battles), "tie")


async def test_a_pending_vote_of_a_server_that_is_gone_counts_at_the_next_start(sqlite):
    battles = await opened(sqlite)
    battle = await fought(battles)
    await battles.vote("ann", battle, "both_bad")
    time_passes(sqlite)
    after = await opened(sqlite)
    assert counted(sqlite) == [("both_bad", None)]
    assert (await after.view("ann", battle)).status is BattleStatus.VOTED


@pytest.fixture
async def postgres_arenas(postgres):
    """Two servers on one database."""
    database = emptied(postgres)
    one, two = await opened(database), await opened(database)
    yield one, two
    await one.close()
    await two.close()
    database.close()
