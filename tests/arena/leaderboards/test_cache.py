"""Results shared by readers, and a voter's consent to show a battle."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from arena.battles.battles import BattleRefused
from arena.leaderboards.cache import MOST, OLDEST, Entry, ResultCache
from arena.leaderboards.leaderboard import publish
from arena.leaderboards.robustness import neighbour_swaps
from arena.store.battle_search import BattleConditions, search
from arena.store.models import register_models
from arena.store.votes import add_vote
from tests.support.arenas import settled
from tests.support.populated import populate
from tests.support.timing import PATIENCE

WAIT = PATIENCE  # a test that waits so long has failed


def _counting(calls: list[int]):
    def compute(_session) -> int:
        calls.append(1)
        return len(calls)

    return compute


def test_a_result_is_computed_once_until_a_vote_comes(sqlite):
    populate(sqlite, 2, 1)
    cache, calls = ResultCache(sqlite), []
    assert cache.get("board", _counting(calls)) == cache.get("board", _counting(calls)) == 1
    with sqlite.write() as session:
        add_vote(session, 1, "judge:late", "judge:late", "tie", stopped_early=False)
    assert cache.get("board", _counting(calls)) == 2
    assert cache.get("other", _counting([])) == 1


@pytest.mark.parametrize(
    ("vote", "age", "serves"),
    [(7, 1.0, True), (8, 0.4, True), (8, 0.6, False), (7, OLDEST + 1, False)],
    ids=["no new vote", "just made", "made before the vote", "too old"],
)
def test_how_long_a_result_serves(vote, age, serves):
    entry = Entry("board", vote=7, version="7", made=100.0, seconds=0.5)
    assert (entry.rests(100.0 + age) or entry.serves(vote, 100.0 + age)) is serves


def test_who_asks_for_less_than_the_newest_gets_a_result_that_rests_longer(sqlite):
    populate(sqlite, 2, 1)
    cache, calls = ResultCache(sqlite), []

    def slow(session) -> int:
        started = time.thread_time()
        while time.thread_time() < started + 0.02:
            pass
        return _counting(calls)(session)

    cache.get("board", slow)
    with sqlite.write() as session:
        add_vote(session, 1, "judge:late", "judge:late", "tie", stopped_early=False)
    assert cache.get("board", slow, rest=1e6) == 1
    assert cache.get("board", slow, rest=0.0) == 2


def test_a_cheap_result_rests_as_long_as_its_reader_allows(sqlite):
    populate(sqlite, 2, 1)
    cache, calls = ResultCache(sqlite), []
    cache.get("board", _counting(calls))
    with sqlite.write() as session:
        add_vote(session, 1, "judge:late", "judge:late", "tie", stopped_early=False)
    assert cache.get("board", _counting(calls), rest=0.0, least=1e6) == 1
    assert cache.get("board", _counting(calls), rest=0.0, exact=True, least=1e6) == 2


def test_a_failure_is_not_cached(sqlite):
    cache, calls = ResultCache(sqlite), []

    def fail(_session) -> int:
        raise ValueError("nothing yet")

    with pytest.raises(ValueError, match="nothing yet"):
        cache.get("board", fail)
    assert cache.get("board", _counting(calls)) == 1


@pytest.mark.parametrize("exact", [False, True])
def test_a_cached_result_does_not_wait_for_the_computation_of_another(sqlite, exact):
    cache, started, release = ResultCache(sqlite), threading.Event(), threading.Event()

    def slow(_session) -> str:
        started.set()
        assert release.wait(WAIT)
        return "slow"

    cache.get("cached", lambda _session: "cached", exact=exact)
    with ThreadPoolExecutor(2) as pool:
        computing = pool.submit(cache.get, "slow", slow, exact=exact)
        assert started.wait(WAIT)
        reading = pool.submit(cache.get, "cached", lambda _session: "computed again", exact=exact)
        try:
            assert reading.result(timeout=WAIT) == "cached"
        finally:
            release.set()
        assert computing.result(timeout=WAIT) == "slow"


@pytest.mark.parametrize("exact", [False, True])
def test_concurrent_readers_of_a_key_share_one_computation(sqlite, exact):
    cache, calls, readers = ResultCache(sqlite), [], threading.Barrier(4)

    def slow(_session) -> int:
        calls.append(1)
        time.sleep(0.05)
        return len(calls)

    def read() -> int:
        readers.wait(WAIT)
        return cache.get("board", slow, exact=exact)

    with ThreadPoolExecutor(4) as pool:
        results = [reading.result(timeout=WAIT) for reading in [pool.submit(read) for _ in range(4)]]
    assert (results, calls) == ([1] * 4, [1])


def test_exact_results_are_computed_one_at_a_time(sqlite):
    cache, running, most = ResultCache(sqlite), [], []

    def heavy(_session) -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()

    with ThreadPoolExecutor(4) as pool:
        for reading in [pool.submit(cache.get, key, heavy, exact=True) for key in range(4)]:
            reading.result(timeout=WAIT)
    assert most == [1] * 4


def test_an_exact_result_never_lags_behind_the_store(sqlite):
    populate(sqlite, 2, 1)
    cache, calls = ResultCache(sqlite), []
    cache.get("board", _counting(calls))
    with sqlite.write() as session:
        register_models(session, ["newcomer"])
    assert cache.get("board", _counting(calls)) == 1
    assert cache.get("board", _counting(calls), exact=True) == 2
    assert cache.get("board", _counting(calls), exact=True) == 2


def test_the_oldest_results_make_room_for_new_ones(sqlite):
    cache, calls = ResultCache(sqlite), []
    for key in range(MOST + 1):
        cache.get(key, lambda _session: "value")
    cache.get(MOST, _counting(calls))
    assert calls == []
    cache.get(0, _counting(calls))
    assert calls == [1]


async def test_a_voter_lets_others_read_a_battle_and_takes_it_back(battles, sqlite):
    view = await battles.begin("ann", "Why is the sky blue?")
    await settled(battles, "ann", view.public_id)
    assert (await battles.share("ann", view.public_id, True)).shared  # consent before the vote
    with sqlite.read() as session:
        assert search(session, BattleConditions(), judged=True) == ([], False)
    await battles.vote("ann", view.public_id, "tie")
    with pytest.raises(BattleRefused, match="not yours"):
        await battles.share("bob", view.public_id, True)
    for agreed in (True, False):
        assert (await battles.share("ann", view.public_id, agreed)).shared is agreed
        with sqlite.read() as session:
            found, _ = search(session, BattleConditions(), judged=True)
        assert [one.public_id for one in found] == ([view.public_id] if agreed else [])


@pytest.mark.slow
def test_so_many_votes_swap_neighbours(sqlite):
    populate(sqlite, 4, 60)
    with sqlite.read() as session:
        published = publish(session)
    swaps = neighbour_swaps(published)
    rows = published.board.rows
    assert [(one.ahead, one.behind) for one in swaps] == [(a.model, b.model) for a, b in pairwise(rows)]
    assert all(one.votes is None or 0 < one.votes < 60 for one in swaps)
    assert swaps[0].gap == pytest.approx(rows[0].rating - rows[1].rating)
