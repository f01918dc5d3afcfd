"""Counted actions and spending, on SQLite and on PostgreSQL, with racing requests and moved clocks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from arena.battles.turn_saver import TurnSaver
from arena.errors import DatabaseUnavailable
from arena.rules.limits import Action, Limit, Scope, Spending
from arena.rules.votes import SIDES
from arena.store.battles import add_battle, add_turn
from arena.store.models import register_models
from arena.store.running_turns import EndedTurn, interrupt
from arena.store.schema.battles import Battle, BattleStatus, CompletionStatus, now
from arena.store.schema.usage import AddressSalt, UsageEvent
from arena.store.spending import BudgetExceeded, Settlement, reserve, settle, spent
from arena.store.stored_battles import Written
from arena.store.usage import Claim, LimitExceeded, address_hashes, cookie_key, count_actions, forget_usage

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = "2026-11-27"


def count(database, *claims: Claim, at: datetime = NOON) -> None:
    with database.write() as session:
        count_actions(session, claims, at)


def battles(most: int, subject: str = "voter ann") -> Claim:
    return Claim(subject, Limit(Scope.VOTER, Action.BATTLE, most, HOUR))


def stored(database) -> int:
    with database.read() as session:
        return len(session.exec(select(UsageEvent.id)).all())


def test_a_limit_holds_within_its_window_and_lifts_when_told(database):
    for minutes in (0, 10, 20):
        count(database, battles(3), at=NOON + timedelta(minutes=minutes))
    with pytest.raises(LimitExceeded, match="You can start the next one in 15 minutes") as refused:
        count(database, battles(3), at=NOON + timedelta(minutes=45))
    assert refused.value.seconds == 900
    assert stored(database) == 3
    count(database, battles(3), at=NOON + timedelta(minutes=45, seconds=refused.value.seconds))


def test_subjects_and_actions_are_counted_apart(database):
    vote = Claim("voter ann", Limit(Scope.VOTER, Action.VOTE, 1, HOUR))
    count(database, battles(1), vote)
    count(database, battles(1, "voter bob"))
    with pytest.raises(LimitExceeded):
        count(database, vote)


def test_one_exceeded_limit_counts_nothing_for_the_others(database):
    address = Claim("address 1", Limit(Scope.ADDRESS, Action.BATTLE, 1, HOUR))
    count(database, battles(9), address)
    with pytest.raises(LimitExceeded, match="Visitors from your network"):
        count(database, battles(9), address)
    assert stored(database) == 2


def test_several_actions_at_once_must_all_fit(database):
    calls = Claim("arena", Limit(Scope.ARENA, Action.CALL, 5, timedelta(minutes=1)), number=2)
    count(database, calls)
    count(database, calls)
    with pytest.raises(LimitExceeded):
        count(database, calls)
    assert stored(database) == 4


def test_racing_requests_never_exceed_a_limit(database):
    def one(_: int) -> bool:
        try:
            count(database, battles(5), Claim("address 1", Limit(Scope.ADDRESS, Action.BATTLE, 50, HOUR)))
        except LimitExceeded:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(one, range(40))) == 5
    assert stored(database) == 10


def test_a_clock_that_was_set_back_locks_nobody_out(database):
    for _ in range(3):
        count(database, battles(3), at=NOON + timedelta(days=300))
    count(database, battles(3))
    with pytest.raises(LimitExceeded) as refused:
        count(database, battles(3), at=NOON + timedelta(days=300))
    assert refused.value.seconds <= 3600


def test_racing_reservations_never_exceed_the_budget(database):
    def one(_: int) -> bool:
        try:
            with database.write() as session:
                reserve(session, DAY, Spending(1000, 0.5), Spending(100, 0.1))
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(one, range(30))) == 5
    with database.read() as session:
        assert spent(session, DAY).tokens == 500
        assert spent(session, DAY).usd == pytest.approx(0.5)


def test_a_settled_turn_makes_room_again(database):
    most, turn = Spending(tokens=100), Spending(tokens=80)
    with database.write() as session:
        reserve(session, DAY, most, turn)
        with pytest.raises(BudgetExceeded):
            reserve(session, DAY, most, turn)
        settle(session, [Settlement(DAY, Spending(tokens=20) - turn)])
        reserve(session, DAY, most, turn)
        reserve(session, "2026-11-28", most, turn)
        assert spent(session, DAY) == Spending(tokens=100)


def test_no_limit_counts_all_the_same(database):
    with database.write() as session:
        reserve(session, DAY, Spending(), Spending(10**12, 1e6))
        assert spent(session, DAY) == Spending(10**12, 1e6)
        assert spent(session, "2026-11-28") == Spending()


def test_addresses_are_hashed_with_a_salt_of_the_day(database):
    with database.write() as session:
        first = address_hashes(session, "198.51.100.7", NOON)
        assert len(first) == 1
    with database.write() as session:
        assert (
            address_hashes(session, "198.51.100.7", NOON) == first != address_hashes(session, "198.51.100.8", NOON)
        )
        salt = session.exec(select(AddressSalt.salt)).one()
    with database.write() as session:
        assert address_hashes(session, "198.51.100.7", NOON + timedelta(days=1)) != first
        assert session.exec(select(AddressSalt.day)).all() == ["2026-11-28"]
    if database.file:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(database.file, "rb") as file:
            assert salt.encode() not in file.read()


def test_after_a_day_neither_actions_nor_salts_are_left(database):
    count(database, battles(9))
    with database.write() as session:
        address_hashes(session, "198.51.100.7", NOON)
        assert forget_usage(session, NOON + timedelta(hours=23)) == 0
        assert forget_usage(session, NOON + timedelta(hours=25)) == 1
        assert session.exec(select(AddressSalt.day)).all() == []
    assert stored(database) == 0


def test_the_key_of_cookies_is_the_same_for_every_server_and_random(database):
    with database.read() as session:
        assert cookie_key(session) == cookie_key(session)
        assert len(set(cookie_key(session))) > 8


MIDNIGHT = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize("apart", [3, 50, -3])
def test_two_clocks_around_midnight_delete_no_salt_of_each_other(database, apart):
    """The second clock is that of another server. Before, each deleted the other's salt: 40 of 40 were allowed."""
    allowed = 0
    for number in range(40):
        at = MIDNIGHT + timedelta(seconds=number / 10 - 2 + (apart if number % 2 else 0))
        try:
            with database.write() as session:
                name, *others = address_hashes(session, "198.51.100.7", at)
                limit = Limit(Scope.ADDRESS, Action.BATTLE, 3, HOUR)
                count_actions(session, [Claim(name, limit, other_names=tuple(others))], at)
            allowed += 1
        except LimitExceeded:
            pass
    assert allowed == 3


def test_the_salt_of_yesterday_is_kept_as_long_as_a_limit_counts_it(database):
    with database.write() as session:
        (old,) = address_hashes(session, "198.51.100.7", MIDNIGHT - HOUR / 2)
        assert address_hashes(session, "198.51.100.7", MIDNIGHT + HOUR / 2)[1:] == [old]
        forget_usage(session, MIDNIGHT + HOUR)
        assert len(address_hashes(session, "198.51.100.7", MIDNIGHT + HOUR)) == 2
        forget_usage(session, MIDNIGHT + HOUR + timedelta(minutes=2))
        assert len(address_hashes(session, "198.51.100.7", MIDNIGHT + HOUR)) == 1


def test_a_salt_of_a_clock_far_ahead_is_deleted(database):
    with database.write() as session:
        address_hashes(session, "198.51.100.7", NOON + timedelta(days=300))
        assert len(address_hashes(session, "198.51.100.7", NOON)) == 1


def test_retried_calls_count_for_the_limit_of_calls(database):
    calls = Claim("arena", Limit(Scope.ARENA, Action.CALL, 5, timedelta(minutes=1)))
    at = now()
    with database.write() as session:
        settle(session, [Settlement(DAY, Spending(), retried=4)])
    count(database, calls, at=at)
    with pytest.raises(LimitExceeded):
        count(database, calls, at=at)


class LostAnswers:
    """Writes to a database; the answers to the first commits of each kind are lost."""

    def __init__(self, database, lost: int) -> None:
        self.database, self.lost = database, lost

    async def __call__(self, work):
        with self.database.write() as session:
            result = work(session)
        self.lost -= 1
        if self.lost >= 0:
            raise DatabaseUnavailable("The connection was cut after the commit.", "cut")
        return result


def running_battle(database) -> int:
    """A battle whose turn runs on the server `me`, with 4,000 tokens reserved next to 4,000 of another one."""
    with database.write() as session:
        register_models(session, ["one", "two"])
        battle = add_battle(session, "ann", "one", "two", 1.0, "me")
        add_turn(session, battle.id, "hello")
        for _ in range(2):
            reserve(session, DAY, Spending(10_000), Spending(4000))
        return battle.id


def ended(battle: int) -> EndedTurn:
    text = {side: Written("text", CompletionStatus.FINISHED) for side in SIDES}
    return EndedTurn(
        battle, text, BattleStatus.OPEN, settlement=Settlement(DAY, Spending(100) - Spending(4000), 2)
    )


@pytest.mark.parametrize("lost", [0, 1, 3])
async def test_a_turn_is_settled_once_though_the_answer_of_the_commit_is_lost(database, lost):
    await TurnSaver("me", LostAnswers(database, lost)).finish(ended(running_battle(database)))
    with database.read() as session:
        assert spent(session, DAY) == Spending(4100)
    assert stored(database) == 2


async def test_a_turn_that_another_server_has_closed_stays_reserved(database):
    battle = running_battle(database)
    with database.write() as session:
        interrupt(session, col(Battle.id) == battle)
    assert not await TurnSaver("me", LostAnswers(database, 1)).finish(ended(battle))
    with database.read() as session:
        assert spent(session, DAY) == Spending(8000)
