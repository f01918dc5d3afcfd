"""Agreement: published figures, hand-made ones, and laws."""

import math

import numpy as np
import pytest
from scipy.special import expit

from judges import agreement
from judges.errors import BadOption, BadRow, LengthMismatch, NoVerdicts
from tests.support.verdict_files import read

NAMES = {0: "tie", 1: "model_a", 2: "model_b", "Tie": "tie", "1": "model_a", "2": "model_b"}
SWAPPED = {"model_a": "model_b", "model_b": "model_a", "tie": "tie", None: None}


def annotators():
    rows = read("pandalm", "testset-v1.json")
    return [[NAMES[row[f"annotator{k}"]] for row in rows] for k in (1, 2, 3)]


def majority():
    return [max(votes, key=votes.count) for votes in zip(*annotators(), strict=True)]


def judge():
    return [NAMES.get(row["gpt_result"]) for row in read("pandalm", "gpt-3.5-turbo-testset-v1.json")]


@pytest.mark.parametrize(("first", "second", "kappa"), [(0, 1, 0.8520), (0, 2, 0.8789), (1, 2, 0.8617)])
def test_kappas_of_the_annotators_are_the_published_ones(first, second, kappa):
    people = annotators()
    result = agreement.cohen_kappa(people[first], people[second])
    assert result.value == pytest.approx(kappa, abs=5e-5)
    assert result.lower < kappa < result.upper


def test_alpha_of_the_annotators_is_the_published_one():
    result = agreement.krippendorff_alpha(annotators())
    assert result.value == pytest.approx(0.8642, abs=5e-5)
    assert result.lower < 0.8642 < result.upper


def test_the_published_accuracy_takes_unreadable_verdicts_for_ties_and_ours_counts_them_as_such():
    verdicts, truth = judge(), majority()
    assert verdicts.count(None) == 25
    as_ties = ["tie" if verdict is None else verdict for verdict in verdicts]
    assert agreement.accuracy(as_ties, truth).value == pytest.approx(0.7107, abs=5e-5)
    assert agreement.accuracy(verdicts, truth).value == pytest.approx(697 / 999)


def test_fleiss_kappa_of_his_own_example():
    """Fleiss (1971), the ten-item table that textbooks print: kappa .210."""
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    items = [[f"c{c}" for c, count in enumerate(row) for _ in range(count)] for row in table]
    assert agreement.fleiss_kappa(list(zip(*items, strict=True))).value == pytest.approx(0.210, abs=5e-4)


A, B, T = "model_a", "model_b", "tie"


def test_cohens_kappa_by_hand():
    first, second = [A] * 25 + [B] * 25, [A] * 20 + [B] * 5 + [A] * 10 + [B] * 15
    assert agreement.cohen_kappa(first, second).value == pytest.approx(0.4)


def test_alpha_by_hand_with_a_gap():
    """Coincidences AA 4, BB 2, AB 1, BA 1 over 8 values: alpha = 1 - 7 * 2 / (64 - 34)."""
    result = agreement.krippendorff_alpha([[A, A, B, A, A], [A, A, B, B, None]])
    assert result.value == pytest.approx(1 - 7 * 2 / (64 - 34))
    assert (result.items, result.left_out) == (4, 1)


def test_no_verdict_is_wrong_with_ties_and_left_out_without():
    truth, given = [A, B, A, T, None], [A, None, T, T, A]
    with_ties = agreement.accuracy(given, truth)
    assert (with_ties.value, with_ties.items, with_ties.left_out) == (0.5, 4, 1)
    without = agreement.accuracy_without_ties(given, truth)
    assert (without.value, without.items) == (1.0, 1)


def test_order_of_items_and_names_of_sides_change_no_figure():
    first, second = [A, B, T, A, B, B, A, T] * 4, [A, B, A, A, A, B, T, T] * 4
    for figure in (agreement.cohen_kappa, agreement.accuracy, agreement.accuracy_without_ties):
        value = figure(first, second).value
        assert figure(first[::-1], second[::-1]).value == pytest.approx(value)
        assert figure([SWAPPED[v] for v in first], [SWAPPED[v] for v in second]).value == pytest.approx(value)
    for figure in (agreement.fleiss_kappa, agreement.krippendorff_alpha):
        assert figure([second, first]).value == pytest.approx(figure([first, second]).value)


def test_a_judge_that_follows_the_models_is_consistent_and_one_that_follows_the_slot_is_not():
    model, slot = [A, B, T, A], [A, A, A, A]
    assert agreement.swap_consistency(model, [SWAPPED[v] for v in model]).value == 1
    assert agreement.swap_consistency(slot, slot).value == 0
    assert agreement.position_bias(slot + slot).value == 1
    assert agreement.position_bias(model + [SWAPPED[v] for v in model]).value == 0


def test_an_order_that_failed_is_left_out():
    result = agreement.swap_consistency([A, None, A], [B, B, None])
    assert (result.value, result.items, result.left_out) == (1, 1, 2)
    assert agreement.position_bias([A, None]).items == 1


def test_clusters_widen_the_interval():
    first, second = [A, A, B, T] * 40, [A] * 160
    alone = agreement.accuracy(first, second)
    together = agreement.accuracy(
        [v for v in (A, A, B, T) for _ in range(40)], second, cluster=[i // 20 for i in range(160)]
    )
    assert alone.value == together.value == 0.5
    assert together.upper - together.lower > 2 * (alone.upper - alone.lower)


def test_the_interval_is_that_of_the_binomial_for_independent_items():
    result = agreement.accuracy([A] * 300 + [B] * 100, [A] * 400)
    error = math.sqrt(0.75 * 0.25 / 400)
    assert result.lower == pytest.approx(0.75 - 1.96 * error, abs=0.01)
    assert result.upper == pytest.approx(0.75 + 1.96 * error, abs=0.01)


def test_a_single_cluster_has_no_interval_and_an_undefined_figure_is_nan():
    assert agreement.accuracy([A], [A]).lower is None
    undefined = agreement.cohen_kappa([A, A], [A, A])
    assert math.isnan(undefined.value)
    assert undefined.lower is None
    assert math.isnan(agreement.krippendorff_alpha([[A, A], [A, A]]).value)


def test_incomparable_verdicts_are_an_error():
    with pytest.raises(LengthMismatch, match=r"judge has 1, truth has 2\. Expected"):
        agreement.accuracy([A], [A, B])
    with pytest.raises(LengthMismatch, match="cluster has 1"):
        agreement.accuracy([A, B], [A, B], cluster=["x"])
    with pytest.raises(NoVerdicts, match="None of 1 items"):
        agreement.accuracy([A], [None])
    with pytest.raises(NoVerdicts):
        agreement.fleiss_kappa([[None], [None]])
    with pytest.raises(BadOption, match=r"for 1 judge\. Give at least two"):
        agreement.fleiss_kappa([[A]])
    with pytest.raises(BadRow, match="row 1: verdict 'first'"):
        agreement.position_bias([A, "first"])
    with pytest.raises(BadRow, match="row 0: verdict 'both'"):
        agreement.swap_consistency([A], ["both"])


def test_position_bias_in_logits_does_not_depend_on_how_close_the_models_are():
    draw = np.random.default_rng(0)
    shares, logits = [], []
    for spread, lead in ((0.5, 0.0), (1.0, 1.5), (3.0, 0.0)):
        quality = lead + spread * draw.normal(size=4000)
        first, second = (
            ["model_a" if won else "model_b" for won in draw.random(4000) < expit(sign * quality + 0.8)]
            for sign in (1, -1)
        )
        shares.append(agreement.position_bias([*first, *second]).value)
        logits.append(agreement.position_logit(first, second).value)
    assert max(shares) > 1.5 * min(shares)
    assert logits == pytest.approx([0.8] * 3, abs=0.1)


def test_position_bias_in_logits_counts_ties_as_half_steps_and_stays_finite():
    position = agreement.position_logit
    assert position(["model_a"] * 9, ["model_a"] * 9).value == pytest.approx(np.log(19) / 2)
    assert position(["tie"] * 8, ["tie"] * 8).value == 0
    assert position(["model_a", "tie"], ["tie", "model_a"]).value > 0
    assert position(["model_a", "model_b"], ["model_b", "model_a"]).value == 0
    with pytest.raises(BadRow, match="row 0: verdict 'x'"):
        position(["x"], ["tie"])


def test_a_figure_says_what_share_of_the_items_it_is_about():
    figure = agreement.accuracy_without_ties(["model_a", "tie", None, "model_b"], ["model_a"] * 4)
    assert (figure.items, figure.share) == (2, 0.5)
