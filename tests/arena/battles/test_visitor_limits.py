"""What visitors may do and spend, on SQLite and on PostgreSQL, with many at once and on several servers."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from arena.battles.battles import BattleRefused, Battles
from arena.battles.loop_lag import LoopLag
from arena.battles.visitor_limits import LimitReached, VisitorLimits
from arena.config import BattleSettings, LimitSettings, PriceSettings, ScriptedSettings
from arena.endpoints import Finish
from arena.rules.limits import Spending
from arena.store import Database
from arena.store.schema.battles import Battle, Vote
from arena.store.schema.usage import UsageEvent
from arena.store.spending import spent
from tests.support.arenas import LISTS, PLAIN, ready, settled, views_of

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SLOW = ScriptedSettings(name="slow-one", endpoint="scripted", delay=0.02, replies=("word " * 400,))


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock()


async def arena(database: Database, clock: Clock, *models, lag: LoopLag | None = None, **limits: float) -> Battles:
    """Battles that run at most 999 turns at once, with these limits on visitors."""
    serving = ready(*models)
    visitor_limits = VisitorLimits(serving, LimitSettings(**limits), lag, clock)
    settings = BattleSettings(running_at_once=999, running_per_voter=999, unread_seconds=0.2, undo_seconds=0)
    battles = Battles(database, serving, settings, visitor_limits=visitor_limits)
    await battles.open()
    return battles


async def played(battles: Battles, voter: str = "ann", address: str | None = None):
    view = await battles.begin(voter, "hello", address)
    return await settled(battles, voter, view.public_id)


async def begun(battles: Battles, voter: str, public_id: str) -> None:
    """Wait until both models write."""
    async for view in views_of(battles, voter, public_id):
        if view.can_vote:
            break


async def allowed(*requests) -> int:
    """How many of these requests, all at once, are not refused by a limit."""
    results = await asyncio.gather(*requests, return_exceptions=True)
    unexpected = [r for r in results if isinstance(r, BaseException) and not isinstance(r, LimitReached)]
    assert unexpected == []
    return sum(not isinstance(result, LimitReached) for result in results)


def count(database: Database, table) -> int:
    with database.read() as session:
        return len(session.exec(select(table)).all())


@pytest.mark.slow
async def test_a_voter_is_told_when_the_next_battle_may_start(database, clock):
    battles = await arena(database, clock, battles_per_voter=2)
    for _ in range(2):
        await played(battles)
        clock.now += timedelta(minutes=10)
    text = "You have started 2 battles in the last hour. You can start the next one in 40 minutes."
    with pytest.raises(LimitReached, match=text) as refused:
        await battles.begin("ann", "hello")
    assert refused.value.seconds == 2400
    await played(battles, "bob")
    clock.now += timedelta(minutes=40)
    await played(battles)


async def test_racing_battles_of_one_voter_do_not_exceed_the_limit(database, clock):
    battles = await arena(database, clock, battles_per_voter=3)
    assert await allowed(*(battles.begin("ann", "hello") for _ in range(12))) == 3
    await battles.close()
    assert count(database, Battle) == 3


async def test_new_cookies_do_not_help_behind_one_address(database, clock):
    battles = await arena(database, clock, battles_per_address=3)
    assert await allowed(*(battles.begin(f"voter {i}", "hello", "198.51.100.1") for i in range(12))) == 3
    with pytest.raises(LimitReached, match="Visitors from your network have started 3 battles"):
        await battles.begin("ann", "hello", "198.51.100.1")
    await battles.begin("ann", "hello", "198.51.100.2")
    await battles.close()


async def test_two_servers_share_the_counts_and_a_restart_keeps_them(database, clock):
    one, two = [await arena(database, clock, battles_per_voter=4) for _ in range(2)]
    assert await allowed(*(battles.begin("ann", "hello") for _ in range(6) for battles in (one, two))) == 4
    await one.close()
    await two.close()
    later = await arena(database, clock, battles_per_voter=4)
    with pytest.raises(LimitReached):
        await later.begin("ann", "hello")


async def test_regenerations_and_further_prompts_are_turns(database, clock):
    battles = await arena(database, clock, turns_per_voter=3)
    view = await played(battles)
    await battles.continue_("ann", view.public_id, "more")
    await settled(battles, "ann", view.public_id)
    await battles.regenerate("ann", view.public_id)
    await settled(battles, "ann", view.public_id)
    for request in (
        battles.regenerate("ann", view.public_id),
        battles.continue_("ann", view.public_id, "more"),
        battles.begin("ann", "hello"),
    ):
        with pytest.raises(LimitReached, match="You have sent 3 prompts in the last hour"):
            await request
    assert (await battles.vote("ann", view.public_id, "tie")).winner == "tie"


@pytest.mark.slow
async def test_racing_votes_do_not_exceed_the_limit_and_a_repeated_one_counts_once(database, clock):
    battles = await arena(database, clock, votes_per_voter=2)
    views = [await played(battles) for _ in range(4)]
    assert await allowed(*(battles.vote("ann", view.public_id, "tie") for view in views)) == 2
    assert count(database, Vote) == 2
    voted = [view for view in views if (await battles.view("ann", view.public_id)).winner]
    assert (await battles.vote("ann", voted[0].public_id, "tie")).winner == "tie"  # repeated, not another one
    other = await arena(database, clock, votes_per_voter=2)
    view = await played(other, "bob")
    assert await allowed(*(other.vote("bob", view.public_id, "tie") for _ in range(5))) == 5
    view = await played(other, "bob")
    await other.vote("bob", view.public_id, "tie")


async def test_the_calls_of_a_minute_are_limited_for_all_together(database, clock):
    battles = await arena(database, clock, calls_per_minute=5)
    assert await allowed(*(battles.begin(f"voter {i}", "hello", f"198.51.100.{i}") for i in range(8))) == 2
    with pytest.raises(
        LimitReached, match=r"The arena is busy\. Please try again in 1 minute\. Your prompt is kept\."
    ):
        await battles.begin("ann", "hello")
    clock.now += timedelta(minutes=1)
    await played(battles)


PRICE = PriceSettings(prompt=0, completion=1000)
SLOW_TWO = [SLOW.model_copy(update={"name": name}) for name in ("slow-one", "slow-two")]
PRICED = [model.model_copy(update={"price": PRICE}) for model in (PLAIN, LISTS)]


async def test_racing_turns_never_reserve_more_than_the_budget(database, clock, caplog):
    slow = [model.model_copy(update={"price": PRICE}) for model in SLOW_TWO]
    battles = await arena(database, clock, *slow, usd_per_day=2.0)  # a turn may cost 2 x 512 x 0.001 = 1.024 USD
    with caplog.at_level(logging.WARNING):
        assert await allowed(*(battles.begin(f"voter {i}", "hello") for i in range(6))) == 1
    assert caplog.text.count("limits.usd_per_day") == 1
    await battles.close()


TALKATIVE = ScriptedSettings(
    name="dear-one", endpoint="scripted", delay=0, max_tokens=900, replies=("word " * 80,), price=PRICE
)


async def started_until_refused(battles: Battles) -> list[str]:
    """Begin battles until the budget is used; returns their public ids."""
    begun: list[str] = []
    while await allowed(request := asyncio.ensure_future(battles.begin("ann", "hello"))):
        begun.append(request.result().public_id)
        await settled(battles, "ann", begun[-1])
    assert "used its budget" in str(request.exception())
    return begun


@pytest.mark.slow
@pytest.mark.parametrize("limit", [{"usd_per_day": 1.0}, {"tokens_per_day": 2500}])
async def test_a_used_budget_refuses_every_pair_alike(database, clock, limit):
    battles = await arena(database, clock, TALKATIVE, PLAIN, LISTS, **limit)
    begun = await started_until_refused(battles)
    requests = [battles.begin("ann", "hello") for _ in range(30)]
    requests += [battles.continue_("ann", public_id, "hello") for public_id in begun]
    requests += [battles.regenerate("ann", public_id) for public_id in begun]
    assert await allowed(*requests) == 0


async def until_refused(battles: Battles) -> None:
    for _ in range(9):
        await played(battles)


async def test_a_turn_that_ended_costs_what_it_cost_and_the_budget_returns_at_midnight(database, clock):
    battles = await arena(database, clock, *PRICED, usd_per_day=1.1)
    await played(battles)
    with database.read() as session:
        cost = spent(session, "2026-11-27")
    assert 0.02 < cost.usd < 0.6
    with pytest.raises(LimitReached, match=r"used its budget for today\. New prompts are possible in 12 hours"):
        await until_refused(battles)
    clock.now += timedelta(hours=12)
    await played(battles)


async def test_a_stopped_turn_is_paid_for_too(database, clock):
    battles = await arena(database, clock, *SLOW_TWO)
    view = await battles.begin("ann", "hello")
    with database.read() as session:
        reserved = spent(session, "2026-11-27")
    assert reserved.tokens > 1024
    await begun(battles, "ann", view.public_id)
    await battles.leave("ann", view.public_id)
    with database.read() as session:
        assert Spending() != spent(session, "2026-11-27")
        assert 4 < spent(session, "2026-11-27").tokens < reserved.tokens - 800


async def test_what_a_killed_server_reserved_stays_reserved(database, clock):
    first = await arena(database, clock, *SLOW_TWO, tokens_per_day=1500)
    await first.begin("ann", "hello")
    second = await arena(database, clock, *SLOW_TWO, tokens_per_day=1500)
    with pytest.raises(LimitReached, match="used its budget"):
        await second.begin("bob", "hello")
    await first.close()


async def test_a_lagging_loop_refuses_new_turns_with_words(database, clock):
    lag = LoopLag()
    battles = await arena(database, clock, lag=lag, lag_seconds=1.0)
    view = await played(battles)
    for _ in range(20):
        lag.note(3.0)
    for request in (battles.begin("ann", "hello"), battles.continue_("ann", view.public_id, "more")):
        with pytest.raises(BattleRefused, match=r"The arena is busy\. Please try again in a moment\."):
            await request
    assert (await battles.vote("ann", view.public_id, "tie")).winner == "tie"


@pytest.mark.slow
async def test_a_class_of_forty_behind_one_address_can_vote(sqlite, clock):
    battles = await arena(sqlite, clock)
    limits = LimitSettings()
    assert limits.battles_per_address >= 40 * 30
    assert limits.votes_per_address >= 40 * 30

    async def pupil(number: int) -> None:
        for _ in range(2):
            view = await played(battles, f"pupil {number}", "198.51.100.1")
            await battles.vote(f"pupil {number}", view.public_id, "tie")

    await asyncio.gather(*(pupil(number) for number in range(40)))
    assert count(sqlite, Vote) == 80


async def test_no_address_is_stored(sqlite, clock):
    battles = await arena(sqlite, clock, battles_per_address=9)
    await played(battles, "ann", "198.51.100.1")
    with sqlite.read() as session:
        subjects = {row.subject for row in session.exec(select(UsageEvent))}
    assert not any("198.51" in subject for subject in subjects)
    clock.now += timedelta(days=1, minutes=1)
    assert await battles.forget_visitors() > 0
    assert count(sqlite, UsageEvent) == 0


async def test_a_limit_per_address_holds_over_midnight_on_two_servers(database):
    """Clocks 3 s apart: before, each server deleted the other's salt, and 40 of 40 battles began."""
    first, second = Clock(), Clock()
    first.now = datetime(2026, 11, 27, 23, 59, 58, tzinfo=UTC)
    second.now = first.now + timedelta(seconds=3)
    servers = [await arena(database, clock, battles_per_address=3) for clock in (first, second)]
    begun = [await allowed(servers[i % 2].begin(f"voter {i}", "hello", "198.51.100.1")) for i in range(40)]
    assert sum(begun) == 3
    for server in servers:
        await server.close()


async def test_retried_calls_are_counted_and_paid_for(database, clock):
    battles = await arena(database, clock, *PRICED)

    class Retried:
        async def stream(self, _request):
            yield "Well"
            yield Finish("stop", attempts=3)

        async def close(self) -> None: ...

    for model in battles.serving.models.values():
        model.endpoint = Retried()
    await played(battles)
    with database.read() as session:
        calls = session.exec(select(UsageEvent).where(UsageEvent.subject == "arena")).all()
    assert len(calls) == 2 * 3
