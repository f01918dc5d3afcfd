"""Results kept between readers, and a voter's leave to show a battle."""

from __future__ import annotations

from itertools import pairwise

import pytest

from arena.battles.battles import BattleRefused
from arena.leaderboards.cache import OLDEST, Entry, Kept
from arena.leaderboards.leaderboard import publish
from arena.leaderboards.robustness import fragile_ranks
from arena.store.battle_search import Search, search
from arena.store.votes import add_vote
from tests.support.arenas import settled
from tests.support.populated import populate


def _making(calls: list[int]):
    def make(session) -> int:
        calls.append(1)
        return len(calls)

    return make


def test_a_result_is_made_once_until_a_vote_comes(sqlite):
    populate(sqlite, 2, 1)
    kept, calls = Kept(sqlite), []
    assert kept.get("board", _making(calls)) == kept.get("board", _making(calls)) == 1
    with sqlite.write() as session:
        add_vote(session, 1, "judge:late", "judge:late", "tie", stopped_early=False)
    assert kept.get("board", _making(calls)) == 2
    assert kept.get("other", _making([])) == 1


@pytest.mark.parametrize(
    ("vote", "age", "serves"),
    [(7, 1.0, True), (8, 0.4, True), (8, 0.6, False), (7, OLDEST + 1, False)],
    ids=["no new vote", "just made", "made before the vote", "too old"],
)
def test_how_long_a_result_serves(vote, age, serves):
    assert Entry("board", vote=7, made=100.0, seconds=0.5).serves(vote, 100.0 + age) is serves


def test_a_failure_is_not_kept(sqlite):
    kept, calls = Kept(sqlite), []

    def fail(_session) -> int:
        raise ValueError("nothing yet")

    with pytest.raises(ValueError, match="nothing yet"):
        kept.get("board", fail)
    assert kept.get("board", _making(calls)) == 1


async def test_a_voter_lets_others_read_a_battle_and_takes_it_back(battles, sqlite):
    view = await battles.begin("ann", "Why is the sky blue?")
    await settled(battles, "ann", view.public_id)
    with pytest.raises(BattleRefused, match="only after your vote"):
        await battles.share("ann", view.public_id, True)
    await battles.vote("ann", view.public_id, "tie")
    with pytest.raises(BattleRefused, match="not yours"):
        await battles.share("bob", view.public_id, True)
    for agreed in (True, False):
        assert (await battles.share("ann", view.public_id, agreed)).shared is agreed
        with sqlite.read() as session:
            found, _ = search(session, Search(), judged=True)
        assert [one.public_id for one in found] == ([view.public_id] if agreed else [])


@pytest.mark.slow
def test_so_many_votes_swap_neighbours(sqlite):
    populate(sqlite, 4, 60)
    with sqlite.read() as session:
        published = publish(session)
    swaps = fragile_ranks(published)
    rows = published.board.rows
    assert [(one.ahead, one.behind) for one in swaps] == [(a.model, b.model) for a, b in pairwise(rows)]
    assert all(one.votes is None or 0 < one.votes < 60 for one in swaps)
    assert swaps[0].gap == pytest.approx(rows[0].rating - rows[1].rating)
