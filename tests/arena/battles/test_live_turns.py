"""A turn is not lost when the database blinks, its server stops, or another server takes it for dead."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import text
from sqlmodel import select

from arena.battles.battles import BattleRefused, Battles
from arena.battles.liveness import LENIENT, LOST_AFTER, SILENT_AFTER
from arena.battles.turn_frames import news_of
from arena.battles.votes import VoteRefused
from arena.config import BattleSettings, ScriptedSettings
from arena.store import Database, running_turns
from arena.store.connection_limits import ConnectionLimits
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Server, Vote
from arena.web.background import Periodic, running
from tests.support.arenas import emptied, new_file, ready, settled, views_of
from tests.support.timing import NO_HANG, PATIENCE, until_async

WORDS = ScriptedSettings(name="words", endpoint="scripted", delay=0.02, replies=("word " * 30,))
ENDLESS = ScriptedSettings(name="endless", endpoint="scripted", delay=0.02, replies=("word " * 3000,))
LONG_WORDS = WORDS.model_copy(update={"replies": ("word " * 100,)})
VAIN = ScriptedSettings(name="Vainglory", endpoint="scripted", delay=0.05, replies=("I am Vainglory. " * 300,))


def pair(model: ScriptedSettings) -> tuple[ScriptedSettings, ScriptedSettings]:
    return model, model.model_copy(update={"name": f"{model.name}-two"})


@pytest.fixture
def impatient(tmp_path):
    """An SQLite database that reports a lock soon."""
    database = new_file(tmp_path / "arena.db", ConnectionLimits(busy_timeout=0.1))
    yield database
    database.close()


@pytest.fixture
def postgres_database(postgres):
    """An empty PostgreSQL database, which servers share."""
    database = emptied(postgres)
    yield database
    database.close()


async def server(database: Database, model: ScriptedSettings = WORDS, **limits: object) -> Battles:
    battles = Battles(
        database, ready(*pair(model)), BattleSettings(**{"pacing": "off", "undo_seconds": 0, **limits})
    )
    await battles.open()
    return battles


@contextmanager
def locked(database: Database):
    """Another program writes to the file, so that this one cannot."""
    with closing(sqlite3.connect(database.file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def begun(battles: Battles, voter: str = "ann"):
    """A battle in which both models have written some words."""
    battle = await battles.begin(voter, "go")
    async for view in views_of(battles, voter, battle.public_id):
        written = view.exchanges[0]
        if view.can_vote and min(len(written.completion_a), len(written.completion_b)) > 30:
            return view
    raise AssertionError("the battle ended before it had begun")


async def when_written(battles: Battles, public_id: str):
    """The view some time after both models of ann's battle have written their 30 words."""
    turn = battles._running.find(public_id).turn
    await until_async(lambda: all(side.text.count("word") == 30 for side in turn.sides.values()))
    await asyncio.sleep(0.5)  # saving it has failed at least once
    return await battles.view("ann", public_id)


def texts(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.exec(select(CompletionRow.text).order_by(CompletionRow.id)))


@pytest.mark.slow
async def test_both_completions_outlive_a_database_that_is_locked_when_they_end(impatient):
    battles = await server(impatient)
    battle = await battles.begin("ann", "go")
    with locked(impatient):
        view = await when_written(battles, battle.public_id)
        assert view.status is BattleStatus.RUNNING
        assert {e.completion_a.count("word") for e in view.exchanges} == {30}
    view = await settled(battles, "ann", battle.public_id)
    assert view.can_vote
    assert [written.count("word") for written in texts(impatient)] == [30, 30]


@pytest.mark.slow
async def test_turns_that_wait_for_the_database_count_as_running(impatient):
    """So an outage keeps no more completions in memory than turns may run at once."""
    battles = await server(impatient, running_at_once=1)
    battle = await battles.begin("ann", "go")
    with locked(impatient):
        await when_written(battles, battle.public_id)
        with pytest.raises(BattleRefused, match="busy"):
            await battles.begin("bob", "go")
    await settled(battles, "ann", battle.public_id)


@pytest.mark.slow
async def test_a_vote_that_cannot_be_saved_is_refused_with_words(impatient, monkeypatch):
    monkeypatch.setattr("arena.battles.live_turns.SAVING_TIMEOUT", 0.3)
    battles = await server(impatient, ENDLESS)
    view = await begun(battles)
    with locked(impatient), pytest.raises(VoteRefused, match=r"not counted.*Both answers are kept"):
        await battles.vote("ann", view.public_id, "tie")
    await settled(battles, "ann", view.public_id)
    assert (await battles.vote("ann", view.public_id, "tie")).status is BattleStatus.VOTED


async def test_texts_are_saved_while_they_grow(database):
    battles = await server(database, ENDLESS)
    first, second = await begun(battles), await begun(battles, "bob")
    await battles.save_texts()
    saved = texts(database)
    assert all(written.count("word") > 5 for written in saved)
    while not all(len(later) > len(earlier) for earlier, later in zip(saved, texts(database), strict=True)):
        assert battles._running.ids, "the texts were not saved while they grew"
        await asyncio.sleep(0.05)
        await battles.save_texts()
    for view in (first, second):
        await battles.vote("ann" if view is first else "bob", view.public_id, "tie")
    await battles.close()


async def test_texts_that_a_crash_leaves_do_not_show_which_model_is_faster(database):
    slow = ENDLESS.model_copy(update={"name": "slow", "delay": 0.2})
    battles = Battles(database, ready(ENDLESS, slow), BattleSettings(undo_seconds=0))
    await battles.open()
    view = await battles.begin("ann", "go")
    while not all(texts(database)):
        await battles.save_texts()
        await asyncio.sleep(0.05)
    assert len({len(text) for text in texts(database)}) == 1
    other = await server(database, ENDLESS)  # finds the turn, as after a crash
    with database.write() as session:
        running_turns.interrupt(session, Battle.owner == battles.server)
    shown = (await other._find(view.public_id)).turns[-1].completions
    assert {written.status for written in shown.values()} == {CompletionStatus.ABANDONED}
    assert len({len(written.text) for written in shown.values()}) == 1
    await battles.close()


async def test_a_server_that_stops_keeps_the_texts_and_the_voter_regenerates(database):
    view = await begun(stopped := await server(database, ENDLESS))
    await stopped.close()
    assert all(written.count("word") > 5 for written in texts(database))
    battles = await server(database, ENDLESS)
    shown = await battles.view("ann", view.public_id)
    assert (shown.status, shown.interrupted) == (BattleStatus.OPEN, True)
    assert (shown.can_vote, shown.can_continue, shown.model_a) == (False, False, None)
    assert "word" in shown.exchanges[0].completion_a
    with pytest.raises(VoteRefused, match=r"not whole\. Choose Regenerate"):
        await battles.vote("ann", view.public_id, "tie")
    with pytest.raises(BattleRefused, match=r"not whole\. Choose Regenerate"):
        await battles.continue_("ann", view.public_id, "And then?")
    with database.read() as session:
        assert session.exec(select(Vote)).all() == []


async def test_an_interrupted_turn_is_regenerated_and_counts(sqlite):
    view = await begun(stopped := await server(sqlite, LONG_WORDS))
    await stopped.close()
    with pytest.raises(BattleRefused, match=r"no longer served\. Start a new battle"):
        await (await server(sqlite, ENDLESS)).regenerate("ann", view.public_id)
    battles = await server(sqlite)
    await battles.regenerate("ann", view.public_id)
    shown = await settled(battles, "ann", view.public_id)
    assert shown.exchanges[0].completion_a.count("word") == 30
    assert (await battles.vote("ann", view.public_id, "tie")).status is BattleStatus.VOTED


async def test_half_a_name_in_an_interrupted_completion_stays_hidden(sqlite):
    battles = await server(sqlite, VAIN)
    battle = await battles.begin("ann", "Who are you?")
    live = battles._running.find(battle.public_id)
    async for _ in news_of(live.turn):
        if live.turn.both_have_begun:
            break
    for writing in live.turn.sides.values():
        writing.text = "I am Vaingl"
    await battles.close()
    view = await battles.view("ann", battle.public_id)
    assert view.interrupted
    assert "Vain" not in str(view.exchanges)


async def test_a_killed_server_leaves_the_texts_that_it_saved(sqlite):
    view = await begun(killed := await server(sqlite, ENDLESS))
    await killed.save_texts()
    battles = await server(sqlite)  # the first one goes on, as one that was killed would not
    shown = await battles.view("ann", view.public_id)
    assert shown.interrupted
    assert "word" in shown.exchanges[0].completion_a
    await killed.close()


async def test_a_drained_server_lets_turns_end_and_starts_none(sqlite):
    battles = await server(sqlite)
    view = await begun(battles)
    draining = asyncio.create_task(battles.drain(PATIENCE))
    await asyncio.sleep(0)
    assert battles.closing
    for start in (battles.begin("bob", "go"), battles.continue_("ann", view.public_id, "go")):
        with pytest.raises(BattleRefused, match=r"restart|still writing"):
            await start
    await draining
    shown = await battles.view("ann", view.public_id)
    assert (shown.status, shown.interrupted, shown.can_vote) == (BattleStatus.OPEN, False, True)
    with pytest.raises(BattleRefused, match="about to restart"):
        await battles.regenerate("ann", view.public_id)
    assert (await battles.vote("ann", view.public_id, "tie")).status is BattleStatus.VOTED


async def test_a_drain_ends_after_its_time_and_keeps_the_texts(sqlite):
    battles = await server(sqlite, ENDLESS)
    view = await begun(battles)
    started = time.monotonic()
    await battles.drain(0.3)
    assert 0.29 < time.monotonic() - started < NO_HANG  # the models need a minute
    assert (await battles.view("ann", view.public_id)).interrupted
    assert all(written.count("word") > 5 for written in texts(sqlite))


async def test_a_drain_does_not_wait_for_a_database_that_is_out(impatient, monkeypatch):
    monkeypatch.setattr("arena.battles.live_turns.SAVING_TIMEOUT", 0.3)
    battles = await server(impatient, ENDLESS)
    await begun(battles)
    with locked(impatient):
        async with asyncio.timeout(NO_HANG):
            await battles.drain(0.1)
        assert battles._running.ids == set()


async def test_no_model_is_called_for_a_turn_that_was_interrupted_before_it_ran(sqlite):
    battles = await server(sqlite, ENDLESS)
    battle = await battles.begin("ann", "go")
    live = battles._running.find(battle.public_id)
    await battles.close()
    assert [writing.text for writing in live.turn.sides.values()] == ["", ""]
    assert (await battles.view("ann", battle.public_id)).interrupted


async def test_a_frozen_server_does_not_overwrite_a_turn_that_another_closed(sqlite):
    frozen = await server(sqlite, ENDLESS)
    view = await begun(frozen)
    await frozen.save_texts()
    other = await server(sqlite, ENDLESS)  # at its start it closes the turns of all others
    closed = await other.view("ann", view.public_id)
    frozen._running.find(view.public_id).turn.stop()
    shown = await settled(frozen, "ann", view.public_id)
    assert shown.interrupted
    assert shown == closed


async def test_a_server_stops_its_models_when_another_closed_the_turn(sqlite):
    frozen = await server(sqlite, ENDLESS)
    view = await begun(frozen)
    await server(sqlite)
    live = frozen._running.find(view.public_id)
    await frozen.save_texts()
    await asyncio.wait([live.task], timeout=NO_HANG)
    assert live.task.done()
    assert frozen._running.ids == set()
    with pytest.raises(VoteRefused, match="Regenerate"):
        await frozen.vote("ann", view.public_id, "tie")


async def test_a_turn_that_runs_elsewhere_is_followed_from_the_store(postgres_database, monkeypatch):
    monkeypatch.setattr("arena.battles.frames.READ_EVERY", 0.05)
    runs, shows = [await server(postgres_database, ENDLESS) for _ in range(2)]
    battle = await runs.begin("ann", "go")
    views, lengths = [], []
    async with running([Periodic("save", 0.05, runs.save_texts)]):
        async for view in views_of(shows, "ann", battle.public_id):
            views.append(view)
            lengths.append(len(view.exchanges[0].completion_a))
            if view.can_vote and len(set(lengths)) > 3:
                await runs.stop("ann", battle.public_id)
    assert views[0].status is BattleStatus.RUNNING
    assert (views[-1].status, views[-1].can_vote) == (BattleStatus.OPEN, True)
    assert len(set(lengths)) > 3
    assert lengths == sorted(lengths)


def hours_pass(database: Database, battles: Battles) -> None:
    """Without a sign of life of this server."""
    with database.write() as session:
        session.execute(
            text("UPDATE server SET seen_at = seen_at - interval '1 hour' WHERE id = :id"), {"id": battles.server}
        )


@pytest.fixture
def up_for_long(postgres_database):
    """A database server that did not start within the last seconds, as one of the tests may have."""
    with postgres_database.read() as session:
        age = session.execute(text("SELECT extract(epoch FROM now() - pg_postmaster_start_time())")).scalar_one()
    time.sleep(max(0.0, SILENT_AFTER.total_seconds() + 0.1 - float(age)))
    return postgres_database


async def test_the_turns_of_a_dead_server_are_closed_by_another(up_for_long):
    dead, alive = await server(up_for_long, ENDLESS), await server(up_for_long, ENDLESS)
    lost, safe = await begun(dead), await begun(alive, "bob")
    await dead.save_texts()
    assert await alive.check_servers() == 0
    hours_pass(up_for_long, dead)
    assert await alive.check_servers() == 1
    shown = await alive.view("ann", lost.public_id)
    assert shown.interrupted
    assert "word" in shown.exchanges[0].completion_a
    assert (await alive.view("bob", safe.public_id)).status is BattleStatus.RUNNING
    await asyncio.gather(dead.close(), alive.close())


async def test_a_starting_server_closes_the_turns_of_dead_ones_at_once(up_for_long):
    dead = await server(up_for_long, ENDLESS)
    view = await begun(dead)
    hours_pass(up_for_long, dead)
    starts = Battles(up_for_long, ready(*pair(ENDLESS)), BattleSettings())
    assert await starts.open() == 1
    assert (await starts.view("ann", view.public_id)).interrupted
    await asyncio.gather(dead.close(), starts.close())


async def test_an_outage_that_silenced_every_server_closes_no_turn(up_for_long):
    """The first server that reaches the database again waits for the others."""
    one, two = await server(up_for_long, ENDLESS), await server(up_for_long, ENDLESS)
    view = await begun(one)
    hours_pass(up_for_long, one)
    hours_pass(up_for_long, two)
    assert await two.check_servers() == 0
    assert await one.check_servers() == 0
    for _ in range(LENIENT):
        assert await two.check_servers() == 0
    assert (await two.view("ann", view.public_id)).status is BattleStatus.RUNNING
    await asyncio.gather(one.close(), two.close())


async def test_a_server_that_stops_removes_its_row(postgres_database):
    one, two = await server(postgres_database), await server(postgres_database)
    await one.close()
    with postgres_database.read() as session:
        assert session.exec(select(Server.id)).all() == [two.server]
    await two.close()


async def test_a_battle_whose_turn_died_is_closed_by_its_own_server(database):
    battles = await server(database, ENDLESS)
    view = await begun(battles)
    live = battles._running.find(view.public_id)
    live.task.cancel()
    await asyncio.wait([live.task])
    for _ in range(LOST_AFTER):
        assert await battles.check_servers() == 0
    assert await battles.check_servers() == 1
    assert (await battles.view("ann", view.public_id)).interrupted
    await battles.close()
