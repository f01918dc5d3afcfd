"""Agreement of stored verdicts, without a database."""

from __future__ import annotations

from datetime import UTC, datetime

from arena.judging.agreement import VotesByBattle, measure
from arena.store.verdicts import StoredVote

JUDGE = "judge:strict"


def verdict(battle: int, *orders: str) -> StoredVote:
    return StoredVote(
        battle=battle,
        prompt=f"set/{battle}",
        category="overall",
        model_a="alder",
        model_b="birch",
        source=JUDGE,
        voter=JUDGE,
        winner=orders[0],
        preference=0.5,
        orders=orders,
        reason="",
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


def test_both_bad_in_an_order_counts_as_a_tie_of_that_order():
    votes = {
        1: {JUDGE: verdict(1, "both_bad", "both_bad")},
        2: {JUDGE: verdict(2, "tie", "both_bad")},
        3: {JUDGE: verdict(3, "model_a", "both_bad")},
        4: {JUDGE: verdict(4, "model_a", "model_a")},
    }
    rows = {row.measure: row.figure for row in measure(VotesByBattle(votes, {}))}
    assert (rows["swap consistency"].value, rows["swap consistency"].items) == (3 / 4, 4)
    assert (rows["position bias"].value, rows["position bias"].items) == (1 / 8, 8)
