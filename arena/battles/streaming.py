"""One running turn of a battle: both models stream at once, and watchers get frames."""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from typing import Any, Protocol

from arena.battles.pacing import TICK, Pacer, Supply
from arena.battles.replay import Replay
from arena.battles.writing import Writing
from arena.endpoints import EndpointError, Failure, Finish
from arena.endpoints.endpoint import Blame, Thinking
from arena.rules.name_masking import GrowingText, NameMasker
from arena.rules.prompt_limits import clean
from arena.rules.votes import Side
from arena.store.schema.battles import CompletionStatus
from arena.store.stored_battles import Written
from judges.visible_text import has_visible_text

log = logging.getLogger(__name__)

Message = Mapping[str, Any]  # its content is a text, or a list of parts


class Streams(Protocol):
    """The part of a served model that a turn uses."""

    @property
    def name(self) -> str: ...
    def stream(self, conversation: Sequence[Message]) -> AsyncGenerator[str | Finish]: ...


@dataclass(frozen=True)
class StreamTimeouts:
    """Limits of a turn in seconds."""

    first_token: float
    turn: float


@dataclass
class LiveTurn:
    """Runs the sides that have a model and collects their completions. One event loop; `run` once.

    `replays` are the sides whose completion stays: the pacer goes on as if they were written again.
    """

    conversations: Mapping[Side, Sequence[Message]]
    models: Mapping[Side, Streams]
    name_masker: NameMasker
    timeouts: StreamTimeouts
    sides: dict[Side, Writing] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    pacer: Pacer | None = None  # releases both sides together; without one, text is shown as it comes
    replays: Sequence[Replay] = ()
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _release: asyncio.Task[None] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)  # set and replaced when there is more to show

    def __post_init__(self) -> None:
        self.sides = self.sides or {side: Writing() for side in self.models}

    async def run(self) -> None:
        """Run until all sides have ended and are shown whole.

        A failure of one side stops the other, because the battle cannot count.
        """
        if not self.running:
            return  # stopped before its start
        self._tasks = [asyncio.create_task(self._write(side)) for side in self.sides]
        self._release = asyncio.create_task(self._release_all(self.pacer)) if self.pacer else None
        try:
            pending = set(self._tasks)
            while pending:
                finished, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    if self.running or not task.cancelled():  # `stop` cancels one before its first step
                        task.result()
                if self.failed:
                    self.stop()
            if self._release:
                await asyncio.wait([self._release])
        finally:
            for task in filter(None, (*self._tasks, self._release)):
                task.cancel()

    def stop(self, status: CompletionStatus = CompletionStatus.STOPPED) -> None:
        """Stop both sides; the text so far is kept, with `status` where it is not whole.

        A vote is on what was shown: text that was not released yet is cut off. A turn that is left for another attempt
        loses it too, unless all of it is whole: what is left would show which model is faster.
        """
        for side, task in zip_longest(self.sides, self._tasks):
            if self.sides[side].status is CompletionStatus.RUNNING:
                self.sides[side].status = status
                if task:
                    task.cancel()
        if self._release:
            self._release.cancel()
        whole = all(writing.status is CompletionStatus.FINISHED for writing in self.sides.values())
        if self.pacer and not self.failed and (status is CompletionStatus.STOPPED or not whole):
            for side in self.sides:
                self._cut(side, self.pacer.released, status)

    def end(self) -> None:
        """Tell all followers that the turn is stored."""
        self.done.set()
        self._note_news()

    def stop_early(self) -> None:
        """Stop for the voter; a turn with nothing to compare yet is left for another attempt."""
        self.stop(CompletionStatus.STOPPED if self.both_have_begun else CompletionStatus.ABANDONED)

    @property
    def running(self) -> bool:
        return any(writing.status is CompletionStatus.RUNNING for writing in self.sides.values())

    @property
    def failed(self) -> bool:
        return any(writing.status is CompletionStatus.FAILED for writing in self.sides.values())

    @property
    def both_have_begun(self) -> bool:
        if self.pacer:
            return all(has_visible_text(self.visible(side)) for side in self.sides)
        return all(writing.first_token_seconds is not None for writing in self.sides.values())

    def released(self) -> dict[Side, str]:
        """The text of each side that its voter may see."""
        return {side: self.visible(side) for side in self.sides}

    def visible(self, side: Side) -> str:
        """The released text with all model names masked."""
        return self._ready(side)[: self.pacer.released if self.pacer else None]

    def _ready(self, side: Side) -> str:
        """The text so far with all model names masked; finished paragraphs are masked once."""
        writing = self.sides[side]
        return self._growing[side].show(writing.text, whole=writing.status is not CompletionStatus.RUNNING)

    @cached_property
    def _growing(self) -> dict[Side, GrowingText]:
        return {side: GrowingText(self.name_masker) for side in self.sides}

    async def _release_all(self, pacer: Pacer) -> None:
        """Release the texts, tick by tick, until all are whole and shown. Sizes are those of masked texts."""
        clock = asyncio.get_running_loop().time
        due = started = clock()
        supplies = self._supplies()
        while not all(supply.done and supply.characters <= pacer.released for supply in supplies):
            due = max(due + TICK, clock())
            await asyncio.sleep(due - clock())
            supplies = self._supplies()
            before = pacer.released
            pacer.advance([*supplies, *(replay.supply(clock() - started) for replay in self.replays)])
            if pacer.released != before:
                self._note_news()

    def _note_news(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

    def _supplies(self) -> list[Supply]:
        return [
            Supply(len(self._ready(side)), writing.status is not CompletionStatus.RUNNING)
            for side, writing in self.sides.items()
        ]

    def _cut(self, side: Side, released: int, status: CompletionStatus) -> None:
        """Keep of a text what was shown of it, with `status` where that is less."""
        writing = self.sides[side]
        if len(self._ready(side)) <= released:
            return
        lengths = range(len(writing.text) + 1)
        masker = self.name_masker
        end = bisect_left(lengths, released, key=lambda size: len(masker.hide(writing.text[:size], whole=False)))
        writing.cut(end, status)

    def outcome(self) -> dict[str, Blame | None]:
        """None for each model that finished, and the blame of each failure.

        Failures that the prompt alone can cause are omitted, so that visitors cannot suspend a model.
        """
        ended = (CompletionStatus.FINISHED, CompletionStatus.FAILED)
        outcomes: dict[str, Blame | None] = {}
        for side, writing in self.sides.items():
            if writing.status in ended and writing.blame is not Blame.PROMPT:
                blame = None if writing.status is CompletionStatus.FINISHED else writing.blame
                name = self.models[side].name  # both sides may have one model: its failure is what counts
                outcomes[name] = outcomes.get(name) or blame
        return outcomes

    def written(self) -> dict[Side, Written]:
        """The completions as stored."""
        masker = self.name_masker
        return {side: writing.record(masker.names_a_model(writing.text)) for side, writing in self.sides.items()}

    async def _write(self, side: Side) -> None:
        """Run one side to its end. Failures, and errors of any kind, are recorded in `sides`, not raised."""
        writing, started = self.sides[side], time.monotonic()
        try:
            await self._read(side, started)
            writing.end()
        except EndpointError as error:
            writing.fail(error.failure, error.detail, error.blame)
            writing.attempts, writing.charged = error.attempts, error.charged
        except TimeoutError:
            writing.fail(Failure.TIMEOUT, f"no complete reply after {time.monotonic() - started:.0f} s")
        except asyncio.CancelledError:
            if writing.status is CompletionStatus.RUNNING:
                raise  # nobody called `stop`
        # The top of a side: an error that nobody expected must end the battle, or it would stay "running".
        except Exception as error:
            log.exception("The stream of %s raised an unexpected error.", self.models[side].name)
            writing.fail(Failure.BROKEN, f"unexpected {type(error).__name__}")
        finally:
            writing.seconds = time.monotonic() - started
            if writing.failure:
                log.warning("%s failed (%s): %s", self.models[side].name, writing.failure.value, writing.detail)

    async def _read(self, side: Side, started: float) -> None:
        """Collect the events of one side. Raises `EndpointError`, `TimeoutError`."""
        writing = self.sides[side]
        async with (
            asyncio.timeout(self.timeouts.turn),
            asyncio.timeout(self.timeouts.first_token) as first,
            aclosing(self.models[side].stream(self.conversations[side])) as stream,
        ):
            async for event in stream:
                if isinstance(event, Finish):
                    writing.finish_reason, writing.usage = event.reason, event.usage
                    writing.attempts = event.attempts
                    continue
                if isinstance(event, Thinking):
                    writing.thought += len(event.encode("utf-8", "replace"))
                    continue
                writing.text += clean(event)
                if self.pacer is None:
                    self._note_news()
                if writing.first_token_seconds is None and has_visible_text(event):
                    writing.first_token_seconds = time.monotonic() - started
                    first.reschedule(None)
