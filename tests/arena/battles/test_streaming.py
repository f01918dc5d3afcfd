"""One running turn: whatever a stream does, its side ends with a status and a reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable

import pytest
from sqlmodel import select

from arena.battles.pacing import Pacer
from arena.battles.streaming import LiveTurn, StreamTimeouts
from arena.battles.turn_frames import FRAME, FRAMES, news_of, pause
from arena.config import OpenAISettings
from arena.endpoints import EndpointError, Failure, Finish
from arena.endpoints.endpoint import Blame, Thinking
from arena.rules.name_masking import NameMasker
from arena.serving.models import ServedModel
from arena.store.schema.battles import BattleStatus, CompletionRow, CompletionStatus
from tests.support.arenas import LISTS, PLAIN, opened_battles, settled
from tests.support.hostile_server import server, stream
from tests.support.odd_replies import odd_objects
from tests.support.timing import NO_HANG, until_async

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


def turn(a: Model, b: Model, first_token: float = 5, whole: float = 5, pacer: Pacer | None = None) -> LiveTurn:
    models, timeouts = {"a": a, "b": b}, StreamTimeouts(first_token, whole)
    return LiveTurn({"a": [], "b": []}, models, NameMasker(()), timeouts, pacer=pacer)


async def test_thinking_is_counted_and_in_no_text():
    async def thoughtful() -> Events:
        yield Thinking("I am Qwen. ")
        yield Thinking("Hm.")
        yield "fine"
        yield Finish("stop")

    running = turn(Model(fine), Model(thoughtful))
    await running.run()
    assert {side: writing.text for side, writing in running.sides.items()} == {"a": "fine", "b": "fine"}
    assert {side: writing.thought for side, writing in running.sides.items()} == {"a": 0, "b": 14}


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
    async with asyncio.timeout(NO_HANG):
        await running.run()
    assert running.sides["b"].status is CompletionStatus.FAILED
    assert running.sides["b"].failure is Failure.BROKEN
    assert running.outcome().get("culprit") is Blame.UNCLEAR
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


@pytest.mark.parametrize(
    ("failure", "begun", "blame"),
    [
        (Failure.UNREACHABLE, False, Blame.ENDPOINT),
        (Failure.UNREACHABLE, True, Blame.UNCLEAR),
        (Failure.BROKEN, False, Blame.UNCLEAR),
        (Failure.RATE_LIMITED, False, Blame.UNCLEAR),
        (Failure.REFUSED, False, None),
    ],
)
async def test_a_failure_that_the_prompt_may_cause_is_told_apart(failure, begun, blame):
    async def failing() -> Events:
        if begun:
            yield "Well"
        raise EndpointError(failure, "no")
        yield ""

    running = turn(Model(fine), Model(failing, "culprit"))
    await running.run()
    assert running.outcome().get("culprit") is blame


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


@pytest.mark.parametrize("steps", range(6))
async def test_a_turn_that_is_stopped_at_any_moment_of_its_start_is_no_error(steps):
    """Between the start of a turn and the first step of its sides, a stop left the battle running for seconds."""
    running = turn(Model(silence), Model(silence))
    task = asyncio.create_task(running.run())
    for _ in range(steps):
        await asyncio.sleep(0)
    running.stop()
    await asyncio.wait_for(task, NO_HANG)
    assert {writing.status for writing in running.sides.values()} == {CompletionStatus.STOPPED}


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
    async with asyncio.timeout(NO_HANG):
        view = await settled(battles, "ann", (await battles.begin("ann", "go")).public_id)
    assert view.status is BattleStatus.FAILED
    assert battles.serving.models[LISTS.name].availability.failures.number == 1
    with sqlite.read() as session:
        assert "broken" in session.exec(select(CompletionRow.failure)).all()


@pytest.mark.service
@pytest.mark.parametrize("value", odd_objects("delta"), ids=lambda value: json.dumps(value)[:60])
async def test_an_odd_event_ends_the_turn_at_once(value):
    async with (
        server(stream({"choices": [{"delta": {"content": "Well"}}]}, value)) as endpoint,
        asyncio.timeout(NO_HANG),
    ):
        served = ServedModel(OpenAISettings(name="odd", endpoint="openai", url=endpoint.url), endpoint)
        running = turn(Model(fine), served)
        await running.run()
    assert running.sides["b"].failure is Failure.BROKEN
    assert (
        running.outcome() == {"model": None, "odd": Blame.UNCLEAR}
        or running.sides["a"].status is CompletionStatus.STOPPED
    )


def written(text: str, pause: float, size: int = 1) -> Callable[[], Events]:
    """A stream of the text in pieces of `size` characters, with a pause before each."""

    async def events() -> Events:
        for at in range(0, len(text), size):
            await asyncio.sleep(pause)
            yield text[at : at + size]
        yield Finish("stop")

    return events


async def watched(running: LiveTurn) -> list[tuple[str, str]]:
    """All frames that a watcher gets."""
    task = asyncio.create_task(running.run())
    task.add_done_callback(lambda _task: running.end())
    shown = await followed(running)
    await task
    return [frame for frame in shown if any(frame)]


async def followed(running: LiveTurn) -> list[tuple[str, str]]:
    """Both texts at each news, and at the end."""
    shown = [(running.visible("a"), running.visible("b")) async for texts in news_of(running) if texts]
    return [*shown, (running.visible("a"), running.visible("b"))]


LONG, SHORT = "abcde fghi " * 20, "klmno pqrs " * 6


@pytest.mark.slow
@pytest.mark.parametrize("slow", ["a", "b"])
async def test_equal_pacing_shows_both_sides_at_once_and_in_equal_parts(slow):
    fast, late = written(LONG, 0.002, 7), written(SHORT, 0.02, 3)
    models = (Model(late), Model(fast)) if slow == "a" else (Model(fast), Model(late))
    frames = await watched(turn(*models, pacer=Pacer()))
    assert all(frames[0])
    for a, b in frames:
        assert len(a) == len(b) or min(len(a), len(b)) == len(SHORT)
    assert sorted(map(len, frames[-1])) == [len(SHORT), len(LONG)]


async def test_a_turn_ends_when_everything_is_shown_and_not_before():
    running = turn(Model(written(LONG, 0.001)), Model(written(LONG, 0.001)), pacer=Pacer())
    task = asyncio.create_task(running.run())
    await until_async(lambda: not running.running)
    assert not task.done()
    assert len(running.visible("a")) < len(LONG)
    await task
    assert running.visible("a") == LONG
    assert running.written()["a"].status is CompletionStatus.FINISHED


async def test_two_watchers_see_the_same_and_one_who_comes_late_goes_on_from_there():
    running = turn(Model(written(LONG, 0.002)), Model(written(LONG, 0.002)), pacer=Pacer())
    first = asyncio.create_task(watched(running))
    await until_async(lambda: running.visible("a"))
    before = len(running.visible("a"))
    late = [len(a) for a, _ in await followed(running)]
    frames = [len(a) for a, _ in await first]
    assert before > 0
    assert late[0] >= before
    assert frames[-1] == late[-1] == len(LONG)


async def test_a_vote_before_the_end_keeps_what_was_shown():
    running = turn(Model(written(LONG, 0)), Model(written(LONG, 0.001)), pacer=Pacer())
    task = asyncio.create_task(running.run())
    await until_async(lambda: running.both_have_begun)
    shown = running.visible("a")
    running.stop()
    await task
    for completion in running.written().values():
        assert completion.text == shown
        assert (completion.status, completion.finish_reason) == (CompletionStatus.STOPPED, None)
    assert running.outcome() == {}


async def test_an_interruption_keeps_what_was_written():
    running = turn(Model(written(LONG, 0)), Model(written(LONG, 0)), pacer=Pacer())
    task = asyncio.create_task(running.run())
    await until_async(lambda: not running.running)
    running.stop(CompletionStatus.ABANDONED)
    await task
    assert [completion.text for completion in running.written().values()] == [LONG, LONG]


async def silence() -> Events:
    await asyncio.sleep(3600)
    yield ""


@pytest.mark.parametrize("faster", ["a", "b"])
async def test_a_turn_that_is_stopped_before_both_have_begun_does_not_show_who_has(faster):
    fast, slow = Model(written(LONG, 0)), Model(silence)
    running = turn(fast, slow, pacer=Pacer()) if faster == "a" else turn(slow, fast, pacer=Pacer())
    task = asyncio.create_task(running.run())
    await until_async(lambda: running.sides[faster].text == LONG)
    running.stop_early()
    await task
    for completion in running.written().values():
        assert (completion.text, completion.status) == ("", CompletionStatus.ABANDONED)
    assert running.sides[faster].written == LONG  # which it has cost


async def test_an_interrupted_turn_keeps_what_was_shown_of_both_sides():
    running = turn(Model(written(LONG, 0)), Model(written(LONG, 0.02)), pacer=Pacer())
    task = asyncio.create_task(running.run())
    await until_async(lambda: running.both_have_begun)
    shown = running.visible("a")
    running.stop(CompletionStatus.ABANDONED)
    await task
    for completion in running.written().values():
        assert (completion.text, completion.status) == (shown, CompletionStatus.ABANDONED)


@pytest.mark.slow
async def test_a_masked_name_has_the_same_size_whatever_its_length():
    sizes = []
    for name in ("Vain", "Vainglorious-Magnificence-70B-Instruct"):
        model = Model(written(f"I am {name}, made here. " * 4, 0.002))
        running = turn(model, Model(written(LONG, 0.002)), pacer=Pacer())
        running.name_masker = NameMasker([name])
        sizes.append([(len(a), len(b)) for a, b in await watched(running)][-1][0])
    assert sizes[0] == sizes[1]


@pytest.mark.slow
async def test_a_vote_within_a_masked_name_keeps_a_text_that_shows_the_same():
    name = "Vainglorious-Magnificence"
    running = turn(Model(written(f"I am {name} " * 20, 0.001)), Model(written(LONG, 0.001)), pacer=Pacer())
    running.name_masker = NameMasker([name])
    task = asyncio.create_task(running.run())
    await until_async(lambda: running.both_have_begun)
    shown = running.visible("a")
    running.stop()
    await task
    assert running.name_masker.hide(running.sides["a"].text, whole=False).startswith(shown)
    assert len(running.sides["a"].text) < len(f"I am {name} " * 20)


async def test_a_failure_ends_a_paced_turn_at_once():
    async def failing() -> Events:
        yield "Well"
        raise EndpointError(Failure.BROKEN, "no")

    async with asyncio.timeout(NO_HANG):
        running = turn(Model(failing), Model(written(LONG, 0.01)), pacer=Pacer())
        await running.run()
    assert running.failed


def test_frames_are_fewer_while_many_turns_run():
    assert [pause(turns) for turns in (0, 1, 75)] == [FRAME] * 3
    assert [turns / pause(turns) for turns in (100, 200, 1000)] == [FRAMES] * 3


@pytest.mark.parametrize("late", ["a", "b"])
async def test_the_first_words_of_a_side_do_not_wait_for_the_next_frame(late, monkeypatch):
    """Nor do they bring frames of the other side forward."""
    monkeypatch.setattr("arena.battles.turn_frames.FRAME", 3600)
    begin, end = asyncio.Event(), asyncio.Event()

    async def early() -> Events:
        for _ in range(30):
            await asyncio.sleep(0.005)
            yield "word "
        begin.set()
        await end.wait()
        yield Finish("stop")

    async def later() -> Events:
        await begin.wait()
        yield "first"
        await end.wait()
        yield Finish("stop")

    running = turn(Model(later), Model(early)) if late == "a" else turn(Model(early), Model(later))
    task = asyncio.create_task(running.run())
    task.add_done_callback(lambda _task: running.end())
    shown = []
    async with asyncio.timeout(NO_HANG):
        async for texts in news_of(running):
            shown.append(texts)
            if all(texts.values()):
                end.set()
    await task
    other = "b" if late == "a" else "a"
    assert shown == [{"a": "", "b": ""}, {late: "", other: "word "}, {late: "first", other: "word " * 30}]
