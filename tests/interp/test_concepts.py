"""Concepts, probes and patterns on data whose structure was planted, and on data that has none."""

from __future__ import annotations

import numpy as np
import pytest

from interp.errors import BadOption
from interp.patterns.token_classes import class_of, class_weights

pytest.importorskip("sklearn")

from interp.patterns.concepts import concepts
from interp.patterns.probes import linear_probe


def blobs(items=60, groups=3, width=12, apart=6.0):
    random = np.random.default_rng(4)
    centres = random.normal(size=(groups, width)) * apart
    truth = np.arange(items) % groups
    return centres[truth] + random.normal(size=(items, width)), truth


@pytest.mark.slow
def test_planted_groups_are_found_stable_and_named_by_their_own():
    rows, truth = blobs()
    found = concepts(rows, most=6, samples=5)
    assert found.count == 3
    assert found.stable
    for label in range(3):
        assert len(set(truth[found.labels == label].tolist())) == 1
        assert {truth[item] for item in found.nearest[label]} == {truth[found.labels == label][0]}


@pytest.mark.slow
def test_a_cloud_without_groups_is_called_unstable_and_an_outlier_is_left_out():
    rows = np.random.default_rng(0).normal(size=(80, 12))
    rows[7] *= 1000
    found = concepts(rows, most=5, samples=8)
    assert found.labels[7] == -1
    assert not found.stable


def probe_data(items=120, readable=True):
    random = np.random.default_rng(1)
    labels = random.integers(2, size=items)
    rows = random.normal(size=(items, 8))
    if readable:
        rows[:, 3] += 3.0 * labels
    return rows, labels.tolist(), [f"prompt {n // 4}" for n in range(items)], labels


@pytest.mark.slow
def test_a_probe_reads_what_is_there_and_the_controls_say_it_is_no_chance():
    rows, labels, groups, _ = probe_data()
    found = linear_probe(rows, labels, groups, [f"words {n % 7}" for n in range(len(labels))])
    assert found.probe.value > 0.85
    assert found.selectivity > 0.3
    assert found.beyond_text.lower > 0
    assert found.verdict == "readable"


@pytest.mark.slow
def test_a_probe_of_noise_and_one_that_the_text_gives_away_are_distinguished():
    rows, labels, groups, _ = probe_data(readable=False)
    assert linear_probe(rows, labels, groups).verdict == "not readable"
    rows, labels, groups, truth = probe_data()
    texts = ["yes indeed" if one else "not at all" for one in truth]
    assert linear_probe(rows, labels, groups, texts).verdict.startswith("readable, but no better")


@pytest.mark.parametrize(
    ("word", "begins", "name"),
    [("-", True, "list marker"), ("2.", True, "list marker"), ("42", False, "number"), ("may", False, "hedge"),
     ("the", False, "function word"), ("Canberra.", False, "name"), ("Canberra", True, "content word"),
     ("x_y", False, "code or symbol"), ("—", False, "code or symbol"), ("runs", False, "content word")],
)  # fmt: skip
def test_classes_of_words(word, begins, name):
    assert class_of(word, begins) == name


def test_a_class_that_holds_all_the_weight_is_over_weighted_and_equal_weights_are_even():
    words = ["It", " is", " 42", " degrees"]
    loaded = {row.name: row for row in class_weights([(words, [0, 0, 1, 0])] * 5)}
    assert loaded["number"].over_weight == pytest.approx(4)
    assert loaded["number"].lower == pytest.approx(4)
    even = class_weights([(words, [1, -1, 1, -1])] * 5)
    assert all(row.over_weight == pytest.approx(1) for row in even)


WRONG = {
    "one score for each word": lambda: class_weights([(["a"], [1.0, 2.0]), (["a"], [1.0])]),
    "An interval needs at least two": lambda: class_weights([(["a"], [1.0])]),
    "Expected finite numbers": lambda: concepts([1.0, 2.0]),
    "two items a group": lambda: concepts(np.ones((5, 3))),
    "every label is 'x'. A probe needs at least two classes": lambda: linear_probe(
        np.ones((6, 2)), ["x"] * 6, range(6)
    ),
    "needs at least 5": lambda: linear_probe(np.ones((6, 2)), list("xyxyxy"), [1, 1, 2, 2, 3, 3]),
    "one of each for each item": lambda: linear_probe(np.ones((6, 2)), ["x"], range(6)),
}


@pytest.mark.parametrize("message", WRONG)
def test_data_that_show_nothing_are_refused(message):
    with pytest.raises(BadOption, match=message):
        WRONG[message]()
