"""Agreement of stored verdicts, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

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


def votes_of(slope, models, battles=1500):
    """Battles that people and a judge decided, the judge with `slope` times people's logits."""
    rng = np.random.default_rng(4)
    xi = dict(zip(models, np.linspace(-1, 1, len(models)), strict=True))
    votes = {}
    for number in range(battles):
        a, b = rng.choice(models, 2, replace=False).tolist()
        votes[number] = {
            source: replace(
                verdict(number, "model_a" if rng.random() < 1 / (1 + np.exp(k * (xi[b] - xi[a]))) else "model_b"),
                model_a=a, model_b=b, source=source, orders=(),
            )
            for source, k in (("human", 1.0), (JUDGE, slope))
        }  # fmt: skip
    return VotesByBattle(votes, {})


def test_a_judge_that_decides_more_sharply_than_people_has_a_slope_above_one():
    [row] = [row for row in measure(votes_of(3.0, list("abcdef"))) if row.measure == "discrimination"]
    assert row.between == f"{JUDGE} ~ human"
    assert 1 < row.figure.lower < row.figure.value < row.figure.upper
    assert row.figure.lower < 3 < row.figure.upper
    assert (row.figure.items, row.figure.left_out) == (1500, 0)


def test_three_models_define_no_slope():
    assert not [row for row in measure(votes_of(3.0, list("abc"), 60)) if row.measure == "discrimination"]
