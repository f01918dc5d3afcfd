"""A lagging event loop: measured, and never booked as a failure of a model."""

from __future__ import annotations

import asyncio
import time

import pytest

from arena.battles.battles import BattleRefused, Battles
from arena.battles.loop_lag import MEMORY, PROBE_EVERY, LoopLag, outcome_without_lag
from arena.battles.streaming import LiveTurn, StreamTimeouts
from arena.battles.visitor_limits import VisitorLimits
from arena.battles.writing import Writing
from arena.config import BattleSettings, LimitSettings, ScriptedSettings
from arena.endpoints import Failure
from arena.endpoints.endpoint import Blame
from arena.rules.name_masking import NameMasker
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.web.background import Periodic, running
from tests.support.arenas import PLAIN, ready, settled
from tests.support.timing import TRIES, until_async

SILENT = ScriptedSettings(name="silent-one", endpoint="scripted", fault="silent")


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def measured(lag: LoopLag, work) -> None:
    measuring = Periodic("measure", PROBE_EVERY, lag.probe)
    async with running([measuring]):
        await until_async(lambda: measuring.worked_at)
        await work()


async def test_a_blocked_loop_is_seen_at_once_and_forgotten_later():
    lag = LoopLag()

    async def block():
        time.sleep(0.8)  # noqa: ASYNC251  (the fault)
        assert lag.total > 0.6  # before the probe itself could run
        await asyncio.sleep(0.01)
        assert lag.average > 0.05

    await measured(lag, block)
    for _ in range(1000):
        lag.note(0.0)
    assert lag.average < 0.01


async def test_an_idle_loop_has_hardly_any_lag():
    """Of some tries one is quiet enough: a busy machine makes every loop late."""
    averages = [LoopLag().average]
    assert averages == [LoopLag().total] == [0]
    for _ in range(TRIES):
        lag = LoopLag()
        await measured(lag, lambda: asyncio.sleep(0.5))
        averages.append(lag.average)
        if lag.average < 0.2:
            break
    assert averages[-1] < 0.2, averages


async def test_probes_that_come_in_time_measure_no_lag_and_late_ones_how_late():
    clock = Clock()
    lag = LoopLag(clock)
    for late in (0.0, 0.0, 0.5, 0.25):
        await lag.probe()
        clock.now += PROBE_EVERY + late
        assert lag._overdue() == pytest.approx(late)
    assert lag.total == pytest.approx(0.75)


def test_a_steady_lag_is_the_average_and_a_single_stall_is_not():
    steady, stall = LoopLag(), LoopLag()
    for _ in range(20):
        steady.note(2.0)
    stall.note(2.0)
    assert steady.average == pytest.approx(2.0, abs=0.01)
    assert stall.average < 1.0
    for _ in range(int(MEMORY / PROBE_EVERY)):
        steady.note(0.0)
    assert steady.average < 1.0


def turn(**failures: Failure | None) -> LiveTurn:
    """A turn of 60 s in which some sides have failed."""
    names = dict(zip("ab", ready().models.values(), strict=True))
    result = LiveTurn({}, names, NameMasker(()), StreamTimeouts(1, 1))
    for side, failure in failures.items():
        status = CompletionStatus.FAILED if failure else CompletionStatus.FINISHED
        result.sides[side] = Writing(status=status, failure=failure, seconds=60.0)
    return result


@pytest.mark.parametrize(
    ("failure", "lost", "booked"),
    [
        (Failure.TIMEOUT, 0.0, {"plain-model": Blame.UNCLEAR, "lists-model": None}),
        (Failure.TIMEOUT, 5.0, {"plain-model": Blame.UNCLEAR, "lists-model": None}),
        (Failure.TIMEOUT, 7.0, {"lists-model": None}),
        (Failure.BROKEN, 60.0, {"plain-model": Blame.UNCLEAR, "lists-model": None}),
        (None, 60.0, {"plain-model": None, "lists-model": None}),
    ],
)
def test_a_timeout_during_lag_is_no_failure_of_the_model(failure, lost, booked):
    assert outcome_without_lag(turn(a=failure, b=None), lost) == booked


@pytest.mark.parametrize(("blocked", "available"), [(0.4, 2), (0.0, 1)])
async def test_a_blocked_loop_suspends_no_model(sqlite, blocked, available):
    """Timeouts of three voters in a row suspend a model, unless the arena itself was too busy to read.

    The lag is measured only where the test blocks the loop: a busy machine blocks the other one, too.
    """
    serving, lag = ready(SILENT, PLAIN), LoopLag()
    limits = BattleSettings(first_token_timeout=0.3, undo_seconds=0)
    battles = Battles(sqlite, serving, limits, visitor_limits=VisitorLimits(serving, LimitSettings(), lag))
    await battles.open()
    async with running([Periodic("measure", PROBE_EVERY, lag.probe)] if blocked else []):
        for voter in ("ann", "bob", "cecil"):
            view = await battles.begin(voter, "hello")
            await asyncio.sleep(0.1)
            time.sleep(blocked)  # noqa: ASYNC251  (the fault)
            view = await settled(battles, voter, view.public_id)
            assert view.status is BattleStatus.FAILED
    assert len(serving.available_weights()) == available


async def test_after_a_long_block_no_battle_begins_for_a_while(sqlite):
    clock = Clock()
    serving, lag = ready(), LoopLag(clock)
    battles = Battles(
        sqlite,
        serving,
        BattleSettings(),
        visitor_limits=VisitorLimits(serving, LimitSettings(lag_seconds=0.2), lag),
    )
    await battles.open()
    await lag.probe()
    clock.now += 1.5
    with pytest.raises(BattleRefused, match="The arena is busy"):
        await battles.begin("ann", "hello")
    for _ in range(100):
        await lag.probe()
        clock.now += PROBE_EVERY
    await battles.begin("ann", "hello")
    await battles.close()
