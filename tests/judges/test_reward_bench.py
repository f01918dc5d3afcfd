"""RewardBench and RewardBench 2: sections, scores and errors, against the published code run on the same numbers."""

import math
import random

import pytest

from judges.errors import BadRow, NoVerdicts
from judges.protocols import reward_bench
from judges.protocols.reward_bench_2 import best_of, ties


def test_sections_weigh_prompts_and_mathematics_as_much_as_code():
    assert reward_bench.PROMPTS["math-prm"] == 447
    assert sum(reward_bench.PROMPTS.values()) == 2985  # rows of the published set
    subsets = {"math-prm": reward_bench.accuracy([1, 1, 1, 1]), "hep-go": reward_bench.accuracy([0, 1])}
    found = reward_bench.section("Reasoning", subsets)
    assert found.value == pytest.approx((984 * 1 + 164 * 0.5) / (984 + 164))
    assert found.standard_error == pytest.approx(164 / (984 + 164) * 0.5 / math.sqrt(2))
    assert reward_bench.section("Chat", subsets) is None
    with pytest.raises(NoVerdicts, match="results has no rows"):
        reward_bench.accuracy([])


def tied(seed, prompts=12):
    """Scores of a subset Ties, which the published code was given as well."""
    rng, rows = random.Random(seed), {}
    for prompt in range(prompts):
        correct = rng.randint(2, 4)
        right = [float(rng.randint(3, 10)) for _ in range(correct)]
        rows[f"tied:{prompt}"] = right + [float(rng.randint(1, 5)) for _ in range(4)], correct
        rows[f"ref:{prompt}"] = [float(rng.randint(3, 10))] + [float(rng.randint(1, 5)) for _ in range(4)], 1
    return rows


@pytest.mark.parametrize(
    ("seed", "published"), [(1, 0.3762237163737079), (2, 0.4888060385760108), (3, 0.3264996270118913)]
)
def test_ties_score_as_the_published_code(seed, published):
    found = ties(tied(seed))
    assert found.value == pytest.approx(published, abs=1e-12)
    assert found.prompts == 12


def test_a_spread_of_zero_has_the_limit_of_its_margin():
    def score(gap):
        return ties({"tied:0": ([5.0, 5.0, 5.0 - gap], 2), "ref:0": ([9.0, 1.0], 1)}).value

    assert score(1) == pytest.approx(1.01)
    assert score(0) == pytest.approx(0.3)
    assert score(-1) == pytest.approx(0.3 - 0.01)


def test_the_error_of_ties_is_that_of_a_bootstrap_of_prompts():
    rows, rng = tied(4, prompts=60), random.Random(0)
    drawn = []
    for _ in range(1500):
        chosen = [rng.randrange(60) for _ in range(60)]
        drawn.append(
            ties(
                {f"{form}:{n}": rows[f"{form}:{c}"] for n, c in enumerate(chosen) for form in ("tied", "ref")}
            ).value
        )
    mean = sum(drawn) / len(drawn)
    spread = math.sqrt(sum((value - mean) ** 2 for value in drawn) / len(drawn))
    assert ties(rows).standard_error == pytest.approx(spread, rel=0.08)


def test_equal_best_scores_share_the_point():
    assert [best_of(scores) for scores in ([3, 1, 2, 0], [3, 3, 2, 0], [1, 1, 1, 1], [1, 2, 0, 0])] == [
        1,
        0.5,
        0.25,
        0,
    ]


@pytest.mark.parametrize(
    ("prompts", "problem"),
    [
        ({"7": ([1, 0], 1)}, "id '7' of the subset Ties is unknown"),
        ({"tied:1": ([1, 0], 1)}, "'tied:1' has 2 scores and 1 correct"),
        ({"ref:1": ([1, 0], 2)}, "'ref:1' has 2 scores and 2 correct"),
    ],
)
def test_prompts_of_ties_that_cannot_be_are_named(prompts, problem):
    with pytest.raises(BadRow, match=problem):
        ties(prompts)


def test_ties_need_a_prompt_in_both_forms():
    with pytest.raises(NoVerdicts, match="both forms"):
        ties({"tied:1": ([2, 2, 0], 2), "ref:2": ([1, 0], 1)})
