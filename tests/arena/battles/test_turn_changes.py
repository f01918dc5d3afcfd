"""Stop, edit, run one side again, and what follows a failure."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from sqlmodel import select

from arena.battles.battles import BattleRefused, Battles
from arena.battles.failure_kinds import kind_of, recorded_failure
from arena.battles.matchmaking import TooFewModels, draw_other
from arena.config import ScriptedSettings
from arena.endpoints import Failure
from arena.store.battles import WrongStatus
from arena.store.running_turns import interrupt_all_but
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Turn
from tests.support.arenas import LISTS, PLAIN, emptied, opened_battles, settled, views_of

ENDLESS = ScriptedSettings(name="endless", endpoint="scripted", delay=0.02, replies=("word " * 3000,))
FAILS = ScriptedSettings(name="failing-model", endpoint="scripted", fault="before_first_token")
EMPTY = ScriptedSettings(name="empty-model", endpoint="scripted", replies=(" ",), delay=0)
SILENT = ScriptedSettings(name="silent-model", endpoint="scripted", fault="silent")


def named(model: ScriptedSettings, name: str, **changes: object) -> ScriptedSettings:
    return model.model_copy(update={"name": name, **changes})


async def fought(battles: Battles, prompt: str = "Why is the sky blue?"):
    view = await battles.begin("ann", prompt)
    return await settled(battles, "ann", view.public_id)


async def begun(battles: Battles):
    """A battle in which both models have written."""
    battle = await battles.begin("ann", "go")
    async for view in views_of(battles, "ann", battle.public_id):
        if view.can_vote:
            return view
    raise AssertionError("the battle ended before it had begun")


def code(refused: pytest.ExceptionInfo[BattleRefused]) -> str:
    return refused.value.code


async def test_stopped_models_leave_their_texts_and_the_voter_votes(sqlite):
    battles = await opened_battles(sqlite, ENDLESS, named(ENDLESS, "two"))
    battle = await begun(battles)
    assert battle.can_stop
    view = await battles.stop("ann", battle.public_id)
    assert (view.status, view.can_vote, view.can_stop, view.stopped_early) == (
        BattleStatus.OPEN,
        True,
        False,
        True,
    )
    assert {shown.status for shown in view.exchanges[-1].completions.values()} == {CompletionStatus.STOPPED}
    assert await battles.stop("ann", battle.public_id) == view  # a repeated request
    assert (await battles.vote("ann", battle.public_id, "tie")).winner == "tie"


async def test_a_turn_stopped_before_both_have_begun_can_only_be_run_again(sqlite):
    battles = await opened_battles(sqlite, ENDLESS, SILENT)
    battle = await battles.begin("ann", "go")
    view = await battles.stop("ann", battle.public_id)
    assert (view.status, view.interrupted, view.can_vote) == (BattleStatus.OPEN, True, False)
    with pytest.raises(BattleRefused) as refused:
        await battles.stop("bob", battle.public_id)
    assert code(refused) == "not_found"


@pytest.fixture
async def two_servers(postgres):
    """Two servers with endless models on one database; the first saves its texts often, as a server does."""
    database = emptied(postgres)
    models = (ENDLESS, named(ENDLESS, "two"))
    one, two = [await opened_battles(database, *models, pacing="off") for _ in range(2)]
    saving = asyncio.create_task(_saving(one))
    yield one, two
    saving.cancel()
    await one.close()
    await two.close()
    database.close()


async def _saving(battles: Battles) -> None:
    while True:
        await battles.save_texts()
        await asyncio.sleep(0.05)


async def test_any_server_stops_a_turn_that_another_runs(two_servers):
    one, two = two_servers
    battle = await begun(one)
    with pytest.raises(BattleRefused) as refused:
        await two.edit("ann", battle.public_id, "stop")
    assert code(refused) == "still_running"
    view = await two.stop("ann", battle.public_id)
    assert (view.status, view.can_vote, view.stopped_early) == (BattleStatus.OPEN, True, True)
    assert view.exchanges[-1].completion_a


async def test_any_server_takes_an_early_vote_on_a_turn_that_another_runs(two_servers):
    one, two = two_servers
    battle = await begun(one)
    await one.save_texts()
    view = await two.vote("ann", battle.public_id, "tie")
    assert (view.status, view.stopped_early) == (BattleStatus.VOTED, True)


async def voted_after(two: Battles, battle: str, monkeypatch, change) -> object:
    """What a vote on server two returns if `change` comes between its refusal and the next look at the battle."""
    monkeypatch.setattr("arena.battles.battle_access.STOP_TIMEOUT", 0.0)  # the turn of server one is not stopped
    write = two._write

    async def refused_write(work):
        try:
            return await write(work)
        except WrongStatus:
            await change()
            raise

    two._write = refused_write
    return await two.vote("ann", battle, "tie")


async def test_a_vote_that_the_end_of_a_turn_overtakes_counts(sqlite, monkeypatch):
    models = (ENDLESS, named(ENDLESS, "two"))
    one, two = [await opened_battles(sqlite, *models, pacing="off") for _ in range(2)]
    battle = (await begun(one)).public_id
    await asyncio.sleep(0.1)
    await one.save_texts()
    view = await voted_after(two, battle, monkeypatch, lambda: one.stop("ann", battle))
    assert (view.status, view.winner) == (BattleStatus.VOTED, "tie")
    await one.close()
    await two.close()


async def test_a_vote_that_the_closing_of_a_dead_servers_turn_overtakes_is_told_so(sqlite, monkeypatch):
    """The voter then regenerates the turn; "vote again" would be refused again."""
    models = (ENDLESS, named(ENDLESS, "two"))
    one, two = [await opened_battles(sqlite, *models, pacing="off") for _ in range(2)]
    battle = (await begun(one)).public_id
    await asyncio.sleep(0.1)
    await one.save_texts()

    async def closed() -> None:
        with sqlite.write() as session:
            interrupt_all_but(session, two.server)

    with pytest.raises(BattleRefused) as refused:
        await voted_after(two, battle, monkeypatch, closed)
    assert code(refused) == "interrupted"
    await one.close()
    await two.close()


async def test_an_edited_prompt_replaces_the_last_one_and_both_models_write_again(database):
    battles = await opened_battles(database)
    battle = (await fought(battles)).public_id
    view = await battles.edit("ann", battle, "Why is the sea blue?")
    assert (view.turn, view.attempt) == (1, 2)
    view = await settled(battles, "ann", battle)
    assert [exchange.prompt for exchange in view.exchanges] == ["Why is the sea blue?"]
    assert view.can_vote
    with database.read() as session:
        assert session.exec(select(Turn.prompt)).all() == ["Why is the sea blue?"]
        assert len(session.exec(select(CompletionRow)).all()) == 4


async def test_a_prompt_that_was_too_much_is_edited_after_the_failure(sqlite):
    battles = await opened_battles(sqlite, PLAIN, FAILS)
    view = await fought(battles)
    assert view.status is BattleStatus.FAILED
    await battles.edit("ann", view.public_id, "shorter")
    view = await settled(battles, "ann", view.public_id)
    assert (view.exchanges[-1].prompt, view.status) == ("shorter", BattleStatus.FAILED)


@pytest.mark.parametrize("pacing", ["equal", "off"])
@pytest.mark.parametrize("side", ["a", "b"])
async def test_one_side_is_run_again_and_the_other_keeps_its_completion(sqlite, side, pacing):
    model = ScriptedSettings(name="one", endpoint="scripted", replies=("first", "second"), delay=0.01)
    battles = await opened_battles(sqlite, model, named(model, "two"), pacing=pacing)
    view = await fought(battles)
    before = {of: shown.text for of, shown in view.exchanges[0].completions.items()}
    other = "b" if side == "a" else "a"
    running = await battles.regenerate("ann", view.public_id, side=side)
    assert running.exchanges[0].completions[other].text == before[other]
    assert running.exchanges[0].completions[side].status is CompletionStatus.RUNNING
    async for frame in views_of(battles, "ann", view.public_id):
        assert frame.exchanges[0].completions[other].text == before[other]
    assert (frame.turn, frame.attempt, frame.can_vote) == (1, 2, True)
    with sqlite.read() as session:
        rows = session.exec(select(CompletionRow.side, CompletionRow.attempt)).all()
    assert sorted(rows) == sorted([("a", 1), ("b", 1), (side, 2)])
    await battles.regenerate("ann", view.public_id)
    assert (await settled(battles, "ann", view.public_id)).attempt == 3


@pytest.mark.slow
async def test_the_pace_of_a_regenerated_side_is_that_of_both(sqlite):
    """A fast model beside a slow one shows no more of itself when it is run again alone."""
    slow = ScriptedSettings(name="slow", endpoint="scripted", delay=0.1, replies=("slow " * 12,))
    fast = ScriptedSettings(name="fast", endpoint="scripted", delay=0, replies=("fast " * 12,))
    battles = await opened_battles(sqlite, slow, fast, pacing="equal")
    clock = asyncio.get_running_loop().time
    view = await fought(battles)
    side = "a" if "fast" in view.exchanges[0].completion_a else "b"
    started = clock()
    await battles.regenerate("ann", view.public_id, side=side)
    await settled(battles, "ann", view.public_id)
    assert clock() - started > 6 * slow.delay  # half of what the slow one took, however slow the machine is


async def test_one_side_is_not_run_again_beside_one_that_is_not_whole(sqlite):
    battles = await opened_battles(sqlite, ENDLESS, SILENT)
    battle = await battles.begin("ann", "go")
    await battles.stop("ann", battle.public_id)
    with pytest.raises(BattleRefused) as refused:
        await battles.regenerate("ann", battle.public_id, side="a")
    assert code(refused) == "interrupted"


async def test_a_failed_battle_is_tried_again_with_the_same_models(sqlite):
    flaky = ScriptedSettings(name="flaky", endpoint="scripted", delay=0, replies=(" ", "well"))
    battles = await opened_battles(sqlite, PLAIN, flaky)
    view = await fought(battles)
    assert view.failure == "empty"
    assert set(view.failures.values()) == {"empty"}
    await battles.retry("ann", view.public_id)
    view = await settled(battles, "ann", view.public_id)
    assert view.status in (BattleStatus.OPEN, BattleStatus.FAILED)
    with pytest.raises(BattleRefused) as refused:
        await battles.retry("ann", (await fought(await opened_battles(sqlite))).public_id)
    assert code(refused) == "wrong_status"


async def test_another_model_is_drawn_for_the_side_that_failed(database):
    battles = await opened_battles(database, PLAIN, FAILS, named(LISTS, "third", weight=3.0))
    battles.serving.models["third"].availability.suspended_until = float("inf")
    view = await fought(battles)
    (side,) = view.failures
    battles.serving.models["third"].availability.suspended_until = 0.0
    with pytest.raises(BattleRefused) as refused:
        await battles.reroll("ann", view.public_id, "b" if side == "a" else "a")
    assert code(refused) == "wrong_status"
    await battles.reroll("ann", view.public_id, side)
    view = await settled(battles, "ann", view.public_id)
    assert (view.status, view.attempt, view.failures) == (BattleStatus.OPEN, 2, {})
    with database.read() as session:
        assert session.exec(select(Battle.pair_probability)).all() == [1.0]
    after = await battles.vote("ann", view.public_id, "tie")
    assert {after.model_a, after.model_b} == {PLAIN.name, "third"}


async def test_no_other_model_is_drawn_where_there_is_none_or_in_a_later_turn(sqlite):
    battles = await opened_battles(sqlite, PLAIN, FAILS)
    view = await fought(battles)
    (side,) = view.failures
    with pytest.raises(BattleRefused) as refused:
        await battles.reroll("ann", view.public_id, side)
    assert code(refused) == "too_few_models"
    once = ScriptedSettings(name="once", endpoint="scripted", delay=0, replies=("well", " "))
    battles = await opened_battles(sqlite, PLAIN, once, named(LISTS, "third", weight=0.0))
    view = await fought(battles)
    await battles.continue_("ann", view.public_id, "more")
    view = await settled(battles, "ann", view.public_id)
    assert view.status is BattleStatus.FAILED
    with pytest.raises(BattleRefused, match="has not had the earlier turns") as refused:
        await battles.reroll("ann", view.public_id, next(iter(view.failures)))
    assert code(refused) == "wrong_status"


def test_the_probability_of_another_model_is_its_share_of_the_rest():
    weights = {"kept": 5.0, "failed": 9.0, "x": 1.0, "y": 3.0}
    assert {draw_other(weights, "kept", "failed", Random(seed)) for seed in range(40)} == {
        ("x", 0.25),
        ("y", 0.75),
    }
    assert draw_other({"kept": 1.0, "x": 0.0}, "kept", "failed", Random(0)) == ("x", 1.0)
    with pytest.raises(TooFewModels):
        draw_other({"kept": 1.0, "failed": 1.0}, "kept", "failed", Random(0))


@pytest.mark.parametrize(
    ("failure", "detail", "kind"),
    [
        (Failure.RATE_LIMITED, "429", "busy"),
        (Failure.UNREACHABLE, "refused", "busy"),
        (Failure.REFUSED, "status 400: unsafe", "refused"),
        (Failure.REFUSED, "status 400: This model's maximum context length is 2048 tokens", "too_long"),
        (Failure.REFUSED, "the request exceeds the available context size", "too_long"),
        (Failure.REFUSED, "prompt is too long: 210000 tokens", "too_long"),
        (Failure.TIMEOUT, "no reply", "timeout"),
        (Failure.BROKEN, "the completion has no visible character", "empty"),
        (Failure.BROKEN, "no JSON", "broken"),
        (Failure.UNAUTHORISED, "401", "broken"),
    ],
)
def test_a_failure_is_told_by_its_kind(failure, detail, kind):
    assert kind_of(recorded_failure(failure, detail)) == kind


async def test_the_same_prompt_goes_to_two_other_models(sqlite):
    models = [named(PLAIN, f"model-{number}") for number in range(4)]
    battles = await opened_battles(sqlite, *models)
    view = await fought(battles, "What is a fugue?")
    with pytest.raises(BattleRefused) as refused:  # two other ones would tell which these are
        await battles.begin("ann", "", again=view.public_id)
    assert code(refused) == "wrong_status"
    first = await battles.vote("ann", view.public_id, "tie")
    other = await battles.begin("ann", "", again=view.public_id)
    view = await settled(battles, "ann", other.public_id)
    assert view.exchanges[0].prompt == "What is a fugue?"
    second = await battles.vote("ann", other.public_id, "tie")
    assert not {first.model_a, first.model_b} & {second.model_a, second.model_b}
    with pytest.raises(BattleRefused) as refused:
        await battles.begin("bob", "", again=view.public_id)
    assert code(refused) == "not_found"
    battles = await opened_battles(sqlite, *models[:3])
    with pytest.raises(BattleRefused, match="no two other models") as refused:
        await battles.begin("ann", "", again=view.public_id)
    assert code(refused) == "too_few_models"


async def test_a_completion_that_was_cut_by_its_limit_is_marked(sqlite):
    battles = await opened_battles(sqlite)
    view = await fought(battles)
    assert not any(shown.truncated for shown in view.exchanges[0].completions.values())
    with sqlite.write() as session:
        session.exec(select(CompletionRow).where(CompletionRow.side == "b")).one().finish_reason = "length"
    shown = (await battles.view("ann", view.public_id)).exchanges[0].completions
    assert {side: completion.truncated for side, completion in shown.items()} == {"a": False, "b": True}


async def test_nothing_of_a_running_turn_tells_which_side_is_done(sqlite):
    quick = ScriptedSettings(name="quick", endpoint="scripted", delay=0, replies=("word",))
    battles = await opened_battles(sqlite, quick, ENDLESS)
    battle = await battles.begin("ann", "go")
    async for view in views_of(battles, "ann", battle.public_id):
        if view.can_vote:
            break
    assert {shown.status for shown in view.exchanges[0].completions.values()} == {CompletionStatus.RUNNING}
    await battles.close()
