"""A battle from the voter's side, with scripted models and a real database."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlmodel import select

from arena.battles.battles import BattleRefused, Battles
from arena.battles.votes import VoteRefused
from arena.config import BattleSettings, ScriptedSettings
from arena.rules.prompt_limits import PromptRejected
from arena.serving.availability import SUSPENSION_SECONDS, State
from arena.store.schema.battles import BattleStatus, CompletionRow, Vote
from arena.store.votes import pair_counts, recount
from tests.support.arenas import LISTS, PLAIN, emptied, opened_battles, ready, settled, views_of

SLOW = ScriptedSettings(name="slow-model", endpoint="scripted", delay=0.02, replies=("word " * 400,))
FAILS_FIRST = ScriptedSettings(name="failing-model", endpoint="scripted", fault="before_first_token")
FAILS_MIDWAY = ScriptedSettings(name="midway-model", endpoint="scripted", fault="midway", delay=0)
SILENT = ScriptedSettings(name="silent-model", endpoint="scripted", fault="silent")
EMPTY = ScriptedSettings(name="empty-model", endpoint="scripted", replies=(" ",), delay=0)


async def fought(battles: Battles, voter: str = "ann", prompt: str = "Why is the sky blue?"):
    view = await battles.begin(voter, prompt)
    return await settled(battles, voter, view.public_id)


def votes(battles: Battles) -> list[str]:
    with battles.database.read() as session:
        assert recount(session) == []
        return list(session.exec(select(Vote.winner)).all())


@pytest.mark.parametrize("winner", ["model_a", "model_b", "tie", "both_bad"])
async def test_each_vote_counts_and_only_then_are_the_models_named(battles, winner):
    view = await fought(battles)
    assert view.can_vote
    assert (view.model_a, view.model_b) == (None, None)
    after = await battles.vote("ann", view.public_id, winner)
    assert after.status is BattleStatus.VOTED
    assert {after.model_a, after.model_b} == {PLAIN.name, LISTS.name}
    assert votes(battles) == [winner]


async def test_a_conversation_goes_on_with_each_models_own_words(sqlite):
    echo = ScriptedSettings(name="one", endpoint="scripted", replies=("first", "second"), delay=0)
    battles = await opened_battles(sqlite, echo, echo.model_copy(update={"name": "two"}))
    view = await fought(battles)
    await battles.continue_("ann", view.public_id, "And then?")
    view = await settled(battles, "ann", view.public_id)
    assert [exchange.completion_a for exchange in view.exchanges] == ["first", "second"]
    assert [exchange.prompt for exchange in view.exchanges] == ["Why is the sky blue?", "And then?"]


async def test_a_conversation_ends_at_the_most_turns(sqlite):
    battles = await opened_battles(sqlite, max_turns=1)
    view = await fought(battles)
    assert not view.can_continue
    with pytest.raises(BattleRefused, match="at most 1 turns"):
        await battles.continue_("ann", view.public_id, "more")


async def test_an_early_vote_stops_both_models_and_reports_it_on_record(sqlite):
    battles = await opened_battles(sqlite, SLOW, SLOW.model_copy(update={"name": "slow-two"}))
    battle = await battles.begin("ann", "go")
    async for view in views_of(battles, "ann", battle.public_id):
        if view.can_vote:
            break
    assert view.status is BattleStatus.RUNNING
    after = await battles.vote("ann", view.public_id, "tie")
    assert after.stopped_early
    with sqlite.read() as session:
        rows = session.exec(select(CompletionRow)).all()
        assert session.exec(select(Vote.stopped_early)).all() == [True]
    assert {row.status for row in rows} == {"stopped"}
    assert all(0 < len(row.text.split()) < 400 for row in rows)


async def test_there_is_no_vote_before_there_is_something_to_judge(sqlite):
    battles = await opened_battles(sqlite, SILENT, SLOW)
    view = await battles.begin("ann", "go")
    with pytest.raises(VoteRefused, match="Wait until both models have started to write"):
        await battles.vote("ann", view.public_id, "tie")
    await battles.close()
    assert votes(battles) == []


async def test_regenerating_asks_both_models_again(battles):
    view = await fought(battles)
    await battles.regenerate("ann", view.public_id)
    view = await settled(battles, "ann", view.public_id)
    assert len(view.exchanges) == 1
    assert view.can_vote
    with battles.database.read() as session:
        assert len(session.exec(select(CompletionRow)).all()) == 4


@pytest.mark.parametrize("faulty", [FAILS_FIRST, FAILS_MIDWAY, SILENT, EMPTY])
async def test_a_battle_with_a_failed_model_never_counts(sqlite, faulty):
    battles = await opened_battles(sqlite, PLAIN, faulty, first_token_timeout=0.3 if faulty is SILENT else 60)
    view = await fought(battles)
    assert view.status is BattleStatus.FAILED
    assert (view.can_vote, view.can_continue, view.model_a) == (False, False, None)
    with pytest.raises(VoteRefused, match="does not count"):
        await battles.vote("ann", view.public_id, "tie")
    assert votes(battles) == []
    with sqlite.read() as session:
        failures = session.exec(select(CompletionRow.failure).where(CompletionRow.status == "failed")).all()
    assert len(failures) == 1
    assert failures[0]


async def test_a_vote_sent_twice_is_answered_as_the_first_was(battles):
    view = await fought(battles)
    first, second = await asyncio.gather(
        battles.vote("ann", view.public_id, "model_a"), battles.vote("ann", view.public_id, "model_a")
    )
    assert first == second == await battles.vote("ann", view.public_id, "model_a")
    assert votes(battles) == ["model_a"]


async def test_a_second_and_different_vote_is_refused(battles):
    view = await fought(battles)
    await battles.vote("ann", view.public_id, "model_a")
    with pytest.raises(VoteRefused, match="You have already voted on this battle: A is better"):
        await battles.vote("ann", view.public_id, "tie")
    assert votes(battles) == ["model_a"]


async def test_a_vote_from_a_tab_that_shows_an_earlier_turn_is_a_vote_on_the_whole_battle(sqlite):
    slow = [model.model_copy(update={"delay": 0.02}) for model in (PLAIN, LISTS)]
    battles = await opened_battles(sqlite, *slow)
    view = await fought(battles)
    await battles.continue_("ann", view.public_id, "And then?")
    with pytest.raises(VoteRefused, match="Wait until both models have started to write"):
        await battles.vote("ann", view.public_id, "model_a")
    await settled(battles, "ann", view.public_id)
    after = await battles.vote("ann", view.public_id, "model_a")
    assert [exchange.prompt for exchange in after.exchanges] == ["Why is the sky blue?", "And then?"]
    assert votes(battles) == ["model_a"]


async def test_of_many_different_votes_at_once_exactly_one_counts(battles):
    view = await fought(battles)
    winners = ["model_a", "model_b", "tie", "both_bad"] * 3
    results = await asyncio.gather(
        *(battles.vote("ann", view.public_id, winner) for winner in winners), return_exceptions=True
    )
    assert len(votes(battles)) == 1
    assert {type(result).__name__ for result in results} == {"BattleView", "VoteRefused"}


async def test_a_vote_on_anothers_battle_is_refused(battles):
    view = await fought(battles)
    assert await battles.view("bob", view.public_id) is None
    with pytest.raises(VoteRefused, match="belongs to another voter"):
        await battles.vote("bob", view.public_id, "tie")
    with pytest.raises(BattleRefused, match="not yours"):
        await battles.continue_("bob", view.public_id, "hello")
    assert votes(battles) == []


@pytest.mark.parametrize(
    ("public_id", "winner", "why"), [("x", "tie", "does not exist"), ("x", "left", "not a vote")]
)
async def test_a_vote_that_makes_no_sense_is_refused(battles, public_id, winner, why):
    with pytest.raises(VoteRefused, match=why):
        await battles.vote("ann", public_id, winner)


async def test_an_abandoned_battle_takes_no_vote(battles):
    view = await fought(battles)
    await battles.leave("ann", view.public_id)
    with pytest.raises(VoteRefused, match="closed without a vote"):
        await battles.vote("ann", view.public_id, "tie")
    with pytest.raises(BattleRefused, match="This battle is over"):
        await battles.regenerate("ann", view.public_id)


async def test_an_open_battle_survives_a_restart_and_a_running_one_is_interrupted(sqlite):
    before = await opened_battles(sqlite, SLOW, SLOW.model_copy(update={"name": "slow-two"}))
    finished = await opened_battles(sqlite)
    waiting = await fought(finished)
    running = await before.begin("ann", "go")
    after = Battles(sqlite, ready(), BattleSettings(undo_seconds=0))
    assert await after.open() == 1
    view = await after.view("ann", running.public_id)
    assert (view.status, view.interrupted, view.can_vote) == (BattleStatus.OPEN, True, False)
    await after.vote("ann", waiting.public_id, "tie")
    assert votes(after) == ["tie"]
    for live in before._running._live.values():
        live.task.cancel()


async def test_a_model_that_is_gone_ends_the_conversation_but_not_the_vote(sqlite):
    view = await fought(await opened_battles(sqlite))
    after = await opened_battles(sqlite, SLOW, SILENT)
    with pytest.raises(BattleRefused, match="no longer served"):
        await after.continue_("ann", view.public_id, "more")
    assert (await after.vote("ann", view.public_id, "tie")).status is BattleStatus.VOTED


async def test_nothing_is_asked_of_a_battle_that_is_being_written(sqlite):
    battles = await opened_battles(sqlite, SLOW, SILENT)
    view = await battles.begin("ann", "go")
    with pytest.raises(BattleRefused, match="still writing"):
        await battles.continue_("ann", view.public_id, "more")
    with pytest.raises(BattleRefused, match="still writing"):
        await battles.regenerate("ann", view.public_id)
    await battles.close()


async def test_one_voter_does_not_take_the_whole_arena(sqlite):
    battles = await opened_battles(sqlite, SLOW, SILENT, running_per_voter=2)
    for _ in range(2):
        await battles.begin("ann", "go")
    with pytest.raises(BattleRefused, match="2 running battles, which is the maximum"):
        await battles.begin("ann", "go")
    await battles.begin("bob", "go")
    await battles.close()


async def test_closing_leaves_nothing_running(sqlite):
    battles = await opened_battles(sqlite, SLOW, SILENT)
    view = await battles.begin("ann", "go")
    await battles.close()
    assert (await battles.view("ann", view.public_id)).interrupted


async def test_prompts_are_checked_before_anything_is_stored(battles):
    with pytest.raises(PromptRejected, match="Type a prompt"):
        await battles.begin("ann", " \x00 ")
    with pytest.raises(PromptRejected, match="200,000 characters"):
        await battles.begin("ann", "x" * 200_000)


async def test_control_characters_do_not_reach_a_model(battles):
    view = await fought(battles, prompt="Hello\x00\x1b[31m\ud800 there")
    assert view.exchanges[0].prompt == "Hello[31m? there"


async def test_a_name_is_hidden_until_the_vote(sqlite):
    vain = ScriptedSettings(
        name="Vainglory-7B", endpoint="scripted", replies=("I am Vainglory, of course.",), delay=0
    )
    battles = await opened_battles(sqlite, vain, PLAIN)
    battle = await battles.begin("ann", "Who are you?")
    async for view in views_of(battles, "ann", battle.public_id):
        assert "Vainglory" not in str(view)
    after = await battles.vote("ann", battle.public_id, "tie")
    assert "I am Vainglory, of course." in str(after.exchanges)
    with sqlite.read() as session:
        assert sorted(session.exec(select(CompletionRow.leaked)).all()) == [False, True]


async def test_the_page_is_reported_why_no_battle_can_begin(sqlite):
    battles = await opened_battles(sqlite, PLAIN)
    assert "needs two models, and 1 is enabled" in battles.why_no_battle()
    with pytest.raises(BattleRefused, match="needs two models"):
        await battles.begin("ann", "hello")
    battles = await opened_battles(sqlite)
    assert battles.why_no_battle() is None
    availability = battles.serving.models[PLAIN.name].availability
    availability.state, availability.progress = State.WAITING, "loading weights"
    assert battles.why_no_battle() == "The arena is loading its models (1 of 2 ready): loading weights."
    availability.state = State.UNAVAILABLE
    assert "Fewer than two models are available now" in battles.why_no_battle()


@pytest.mark.slow
async def test_voters_at_once_do_not_get_into_each_others_way(database):
    """Thirty voters, on SQLite and on PostgreSQL."""
    battles = await opened_battles(database)

    async def one(voter: str) -> None:
        view = await fought(battles, voter)
        await battles.vote(voter, view.public_id, "model_a")

    await asyncio.gather(*(one(f"voter {number}") for number in range(30)))
    with database.read() as session:
        assert sum(counted.wins for counted in pair_counts(session)) == 30
    assert len(votes(battles)) == 30


async def test_an_old_open_battle_is_closed(sqlite):
    battles = await opened_battles(sqlite, abandon_after_hours=1e-9)
    view = await fought(battles)
    assert await battles.close_stale() == 1
    assert (await battles.view("ann", view.public_id)).status is BattleStatus.ABANDONED


async def test_a_starting_server_leaves_the_running_battles_of_its_siblings_alone(postgres):
    database = emptied(postgres)
    sibling = await opened_battles(database, SLOW, SILENT)
    view = await sibling.begin("ann", "go")
    assert await Battles(database, ready(), BattleSettings()).open() == 0
    assert (await sibling.view("ann", view.public_id)).status is BattleStatus.RUNNING
    await sibling.close()
    assert (await sibling.view("ann", view.public_id)).interrupted
    database.close()


async def test_many_clicks_on_send_are_one_turn(sqlite):
    unhurried = [model.model_copy(update={"delay": 0.02}) for model in (PLAIN, LISTS)]
    battles = await opened_battles(sqlite, *unhurried)
    view = await fought(battles)
    clicks = [battles.continue_("ann", view.public_id, "And then?") for _ in range(6)]
    results = await asyncio.gather(*clicks, return_exceptions=True)
    assert sum(isinstance(result, BattleRefused) for result in results) == 5
    view = await settled(battles, "ann", view.public_id)
    assert [exchange.prompt for exchange in view.exchanges] == ["Why is the sky blue?", "And then?"]
    assert view.can_vote


@pytest.mark.parametrize("first", ["vote", "regenerate"])
async def test_a_vote_and_a_regeneration_at_once_leave_one_clear_outcome(battles, first):
    view = await fought(battles)
    both = [battles.vote("ann", view.public_id, "model_a"), battles.regenerate("ann", view.public_id)]
    results = await asyncio.gather(*(both if first == "vote" else both[::-1]), return_exceptions=True)
    refused = sum(isinstance(result, BattleRefused) for result in results)
    assert refused <= 1  # none: the new completions had begun, and the vote cut them short
    after = await settled(battles, "ann", view.public_id)
    assert (after.status is BattleStatus.VOTED) == (votes(battles) == ["model_a"])
    assert (after.model_a is not None) == (after.status is BattleStatus.VOTED)


async def test_the_limit_of_a_voter_holds_for_clicks_at_once_too(sqlite):
    battles = await opened_battles(sqlite, SLOW, SILENT, running_per_voter=2, running_at_once=3)
    begun = await asyncio.gather(*(battles.begin("ann", "go") for _ in range(9)), return_exceptions=True)
    assert sum(isinstance(result, BattleRefused) for result in begun) == 7
    await battles.begin("bob", "go")
    with pytest.raises(BattleRefused, match="The arena is busy"):
        await battles.begin("cecil", "go")
    await battles.close()


async def test_a_model_that_keeps_failing_is_suspended(sqlite):
    battles = await opened_battles(sqlite, PLAIN, FAILS_FIRST)
    for _ in range(3):
        assert (await fought(battles)).status is BattleStatus.FAILED
    assert "Fewer than two models are available now" in battles.why_no_battle()
    availability = battles.serving.models[FAILS_FIRST.name].availability
    assert 0 < availability.suspended_until - time.monotonic() <= SUSPENSION_SECONDS
    availability.suspended_until = 0
    assert battles.why_no_battle() is None


@pytest.mark.parametrize("faulty", [FAILS_MIDWAY, SILENT, EMPTY])
async def test_no_visitor_can_suspend_a_model_alone(sqlite, faulty):
    battles = await opened_battles(sqlite, PLAIN, faulty, first_token_timeout=0.05 if faulty is SILENT else 60)
    for number in range(6):
        view = await battles.begin(f"cookie {number}", "Reply with nothing.", "198.51.100.1")
        assert (await settled(battles, f"cookie {number}", view.public_id)).status is BattleStatus.FAILED
    assert battles.why_no_battle() is None
    for number in range(2, 4):
        view = await battles.begin(f"cookie {number}", "Reply with nothing.", f"198.51.100.{number}")
        await settled(battles, f"cookie {number}", view.public_id)
    assert (battles.why_no_battle() is None) == (faulty is EMPTY)
