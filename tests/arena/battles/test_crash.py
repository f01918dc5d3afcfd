"""Kill -9 at random moments under voters: an acknowledged vote is never lost and never doubled, no battle is stuck."""

from __future__ import annotations

import random

import pytest

from arena.leaderboards.leaderboard import publish
from arena.store import Database
from arena.store.votes import rewrite_pair_counts
from reproduce.drills.kill import MODELS, STUCK, compare, drill
from reproduce.drills.served import Served
from tests.support.arenas import emptied

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("servers", "kills"), [(1, 10), (2, 5)])
def test_every_acknowledged_vote_survives_kills(request, tmp_path, servers, kills):
    """One server on SQLite; two on PostgreSQL, which close each other's battles."""
    url = f"sqlite:///{tmp_path / 'arena.db'}"
    if servers == 2:
        url = request.getfixturevalue("postgres")
        emptied(url).close()
    crowd, longest, _ = drill(
        [Served(tmp_path / str(n), url, MODELS) for n in range(servers)], kills, random.Random(0)
    )
    result = compare(url, crowd)
    assert result.acknowledged > kills / 2, "too few votes to mean anything"
    assert (result.lost, result.changed, result.doubled) == (0, 0, 0)
    assert (result.revived, result.miscounted) == (0, 0)
    assert longest < STUCK
    _check_board(url)


def _check_board(url: str) -> None:
    """The board is the same after its counts were computed again from the votes."""
    database = Database(url)
    with database.read() as session:
        before = publish(session).board
    with database.write() as session:
        rewrite_pair_counts(session)
    with database.read() as session:
        assert publish(session).board == before
    database.close()
