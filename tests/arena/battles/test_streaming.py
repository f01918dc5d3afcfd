"""One running turn: whatever a stream does, its side ends with a status and a reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable

import pytest
from sqlmodel import select

from arena.battles.streaming import LiveTurn, StreamTimeouts
from arena.config import OpenAISettings
from arena.endpoints import EndpointError, Failure, Finish
from arena.rules.name_masking import NameMasker
from arena.serving.models import ServedModel
from arena.store.schema.battles import BattleStatus, CompletionRow, CompletionStatus
from tests.support.arenas import LISTS, PLAIN, opened_battles, settled
from tests.support.hostile_server import server, stream
from tests.support.odd_replies import odd_objects

Events = AsyncGenerator[str | Finish]


class Model:
    """A model whose stream is the given generator."""

    def __init__(self, events: Callable[[], Events], name: str = "model") -> None:
        self.events, self.name, self.closed = events, name, False

    async def stream(self, _conversation: object) -> Events:
        try:
            async for event in self.events():
                yield event
        finally:
            self.closed = True


async def fine() -> Events:
    yield "fine"
    yield Finish("stop")


def turn(a: Model, b: Model, first_token: float = 5, whole: float = 5) -> LiveTurn:
    models = {"a": a, "b": b}
    return LiveTurn({"a": [], "b": []}, models, NameMasker(()), StreamTimeouts(first_token, whole))


ERRORS = [
    AttributeError("a bug"), TypeError("a bug"), RecursionError("deep"), OverflowError("large"), ValueError("bad"),
    KeyError("choices"), StopAsyncIteration(), asyncio.InvalidStateError(), MemoryError(), UnicodeError("x"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("begun", [False, True])
async def test_any_exception_of_a_stream_fails_its_side_at_once(error, begun, caplog):
    async def broken() -> Events:
        if begun:
            yield "Well"
        raise error
        yield ""

    running = turn(Model(fine), Model(broken, "culprit"))
    async with asyncio.timeout(2):
        await running.run()
    assert running.sides["b"].status is CompletionStatus.FAILED
    assert running.sides["b"].failure is Failure.BROKEN
    assert running.outcome().get("culprit") is False
    assert "culprit" in caplog.text


@pytest.mark.parametrize("event", [None, 5, ["text"], {"content": "x"}, b"bytes"])
async def test_an_event_of_another_type_fails_its_side(event):
    async def broken() -> Events:
        yield event

    running = turn(Model(fine), Model(broken))
    await running.run()
    assert running.sides["b"].failure is Failure.BROKEN


@pytest.mark.parametrize("text", ["\u200b", "\u2060\u200b\n", " \ufeff", "&nbsp;", "\u3164"])
async def test_a_completion_that_shows_nothing_is_a_failure_and_never_votable(text):
    async def blank() -> Events:
        yield text
        await asyncio.sleep(0.05)
        assert not running.both_have_begun
        yield Finish("stop")

    running = turn(Model(fine), Model(blank))
    await running.run()
    assert running.sides["b"].failure is Failure.BROKEN


async def test_invisible_characters_do_not_extend_the_time_to_the_first_text():
    async def endless() -> Events:
        while True:
            yield "\u200b"
            await asyncio.sleep(0.01)

    running = turn(Model(fine), Model(endless), first_token=0.1)
    await running.run()
    assert running.sides["b"].failure is Failure.TIMEOUT


async def test_filtered_content_is_a_failure_that_does_not_count_against_the_model():
    async def filtered() -> Events:
        yield "Partly"
        yield Finish("content_filter")

    running = turn(Model(fine), Model(filtered, "filtered"))
    await running.run()
    assert running.failed
    written = running.written()["b"]
    assert (written.failure, written.finish_reason) == (Failure.REFUSED, "content_filter")
    assert "filtered" not in running.outcome()


async def test_a_cancelled_turn_is_no_failure_and_closes_its_streams():
    async def slow() -> Events:
        yield "slow"
        await asyncio.sleep(60)

    models = Model(slow, "one"), Model(slow, "two")
    running = turn(*models)
    task = asyncio.create_task(running.run())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert (running.failed, running.outcome()) == (False, {})
    assert all(model.closed for model in models)


async def test_a_stopped_turn_is_no_failure():
    async def slow() -> Events:
        yield "slow"
        await asyncio.sleep(60)

    running = turn(Model(slow), Model(slow))
    task = asyncio.create_task(running.run())
    await asyncio.sleep(0.05)
    running.stop()
    await task
    assert running.outcome() == {}


async def test_a_failed_side_closes_the_stream_of_the_other():
    async def failing() -> Events:
        raise EndpointError(Failure.BROKEN, "no")
        yield ""

    async def slow() -> Events:
        yield "slow"
        await asyncio.sleep(60)

    other = Model(slow)
    await turn(other, Model(failing)).run()
    assert other.closed


async def test_a_battle_whose_stream_has_a_bug_is_closed_and_the_voter_can_go_on(sqlite):
    battles = await opened_battles(sqlite, PLAIN, LISTS)

    class Buggy:
        async def stream(self, _request: object) -> Events:
            yield "Well"
            raise AttributeError("'list' object has no attribute 'get'")

        async def close(self) -> None: ...

    battles.serving.models[LISTS.name].endpoint = Buggy()
    async with asyncio.timeout(3):
        view = await settled(battles, "ann", (await battles.begin("ann", "go")).public_id)
    assert view.status is BattleStatus.FAILED
    assert battles.serving.models[LISTS.name].availability.failures == 1
    with sqlite.read() as session:
        assert "broken" in session.exec(select(CompletionRow.failure)).all()


@pytest.mark.service
@pytest.mark.parametrize("value", odd_objects("delta"), ids=lambda value: json.dumps(value)[:60])
async def test_an_odd_event_ends_the_turn_at_once(value):
    async with (
        server(stream({"choices": [{"delta": {"content": "Well"}}]}, value)) as endpoint,
        asyncio.timeout(3),
    ):
        served = ServedModel(OpenAISettings(name="odd", endpoint="openai", url=endpoint.url), endpoint)
        running = turn(Model(fine), served)
        await running.run()
    assert running.sides["b"].failure is Failure.BROKEN
    assert (
        running.outcome() == {"model": True, "odd": False} or running.sides["a"].status is CompletionStatus.STOPPED
    )
