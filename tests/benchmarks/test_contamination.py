"""Each sign on numbers where the answer is known."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.contamination import (
    against_control,
    canary_known,
    canary_request,
    exchangeability,
    min_k,
    min_k_plus,
    moments,
    ngrams,
    orders,
    overlap,
)  # fmt: skip
from benchmarks.errors import BadOption


def test_orders_keep_the_shards_and_their_neighbours():
    found = orders(samples=10, shards=3, permutations=2, seed=1)
    assert [list(shard[0]) for shard in found] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert all(sorted(order) == list(shard[0]) for shard in found for order in shard)
    assert all(len(shard) == 3 for shard in found)
    again = orders(samples=10, shards=3, permutations=2, seed=1)
    assert all(
        list(a) == list(b) for one, two in zip(found, again, strict=True) for a, b in zip(one, two, strict=True)
    )


def test_exchangeability_accuses_nobody_falsely():
    """Under the null hypothesis the p-values are uniform."""
    rng = np.random.default_rng(0)
    found = [exchangeability(rng.normal(size=20), rng.normal(size=(20, 5))).p_value for _ in range(300)]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_a_likelier_canonical_order_is_found():
    rng = np.random.default_rng(0)
    permuted = rng.normal(-100, 1, size=(20, 10))
    found = exchangeability(rng.normal(-98, 1, size=20), permuted)
    assert found.p_value < 1e-4
    assert found.difference == pytest.approx(2, abs=0.6)
    assert exchangeability(rng.normal(-102, 1, size=20), permuted).p_value > 0.99


def test_equal_shards_are_no_evidence():
    assert exchangeability([-5.0, -5.0], [[-5.0], [-5.0]]).p_value == 1


def test_min_k_is_the_mean_of_the_lowest():
    assert min_k([-1, -9, -2, -7, -3, -1, -1, -1, -1, -1], 0.2) == -8
    assert min_k([-3, -1], 0.2) == -3


def test_min_k_plus_takes_out_how_hard_a_place_is():
    """Where the whole vocabulary is as likely, no token can be a surprise."""
    sharp, flat = np.log([0.98, 0.01, 0.01]), np.log([1 / 3 + 1e-6, 1 / 3, 1 / 3 - 1e-6])
    mean, deviation = moments(np.array([sharp, flat]))
    assert mean[0] == pytest.approx(0.98 * np.log(0.98) + 0.02 * np.log(0.01))
    assert deviation[0] == pytest.approx(
        np.sqrt(0.98 * (np.log(0.98) - mean[0]) ** 2 + 0.02 * (np.log(0.01) - mean[0]) ** 2)
    )
    plus = min_k_plus([sharp[1], flat[1]], mean, deviation, share=0.5)
    assert plus == pytest.approx((sharp[1] - mean[0]) / deviation[0])


def test_scores_are_compared_with_their_paraphrases():
    rng = np.random.default_rng(1)
    control = rng.normal(-5, 1, 50)
    assert against_control(control + rng.normal(0.5, 0.3, 50), control).p_value < 1e-6
    assert against_control(control + rng.normal(-0.5, 0.3, 50), control).p_value > 0.99


def test_overlap_finds_copies_in_another_case_and_punctuation():
    words = [f"word{n}" for n in range(20)]
    sample, short = " ".join(words), "A short one"
    corpus = iter(["nothing of it", f"Before. {sample.upper()}!", "it is a SHORT, one."])
    assert list(overlap([sample, short, "", "not there at all"], corpus)) == [1, 1, 0, 0]
    assert overlap([sample], [" ".join(words[:13])])[0] == 1 / 8
    assert ngrams("a b c", 2) == {("a", "b"), ("b", "c")}


def test_a_canary_is_known_by_the_part_that_was_not_shown():
    canary = "BENCHMARK 26b5c67b-86a4-4f00-b111-0123456789ab"
    request = canary_request(canary)
    shown = str(request["messages"][0]["content"])
    assert canary[:20] in shown
    assert canary[-12:] not in shown
    assert canary_known(f"...{canary[23:].upper()}.", canary)
    assert not canary_known(shown, canary)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: orders(10, 1, 5), "10 samples in 1 shards"),
        (lambda: exchangeability([1.0], [[1.0]]), r"shapes \(1,\) and \(1, 1\)"),
        (lambda: min_k([]), "no log-probabilities"),
        (lambda: min_k([-1], 0), "share is 0"),
        (lambda: min_k_plus([-1], [0, 0], [1, 1]), "shapes"),
        (lambda: min_k_plus([-1], [0], [0]), "deviation 0.0 at token 0"),
        (lambda: against_control([1], [1]), "two pairs of text and paraphrase"),
        (lambda: canary_request("short"), "hide at least 8 characters"),
    ],
)
def test_what_cannot_be_computed_is_named(call, said):
    with pytest.raises(BadOption, match=said):
        call()
