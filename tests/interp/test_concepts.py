"""Concepts, probes and patterns on data whose structure was planted, and on data that has none."""

from __future__ import annotations

import numpy as np
import pytest

from interp.errors import BadOption
from interp.patterns.features import POSITION, Preference, features, logistic, preference_patterns
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


def test_features_count_what_they_are_called_after():
    found = features("# Title\n- one\n2. two **bold** `code` 3.5! Perhaps I may?")
    assert np.expm1(found["list items"]) == pytest.approx(2)
    assert np.expm1(found["headings"]) == pytest.approx(1)
    assert np.expm1(found["hedges"]) == pytest.approx(2)
    assert np.expm1(found["numbers"]) == pytest.approx(2)


def planted_ratings(battles=400, judges_like_lists=2.0, people_like_lists=0.0, bias=1.0):
    random = np.random.default_rng(9)
    made = []
    for battle in range(battles):
        lists, words = random.integers(0, 5, size=2), random.integers(3, 40, size=2)
        a, b = ("\n".join(["- x"] * n) + "\n" + "word " * w for n, w in zip(lists, words, strict=True))
        lead = np.log1p(lists[0]) - np.log1p(lists[1])
        for judge, taste in ((True, judges_like_lists), (False, people_like_lists)):
            for first in ("a", "b") if judge else (None,):
                push = bias * {"a": 1, "b": -1, None: 0}[first]
                wins = random.random() < 1 / (1 + np.exp(-(taste * lead + push)))
                made.append(Preference(battle, a, b, float(wins), judge, first))
    return made


def test_what_judges_over_weight_is_found_and_what_they_do_not_is_not():
    table = {row.feature: row for row in preference_patterns(planted_ratings())}
    assert table["list items"].survives
    assert table["list items"].lower > 0.5
    assert table["length"].lower < 0 < table["length"].upper
    assert table[POSITION].judges == pytest.approx(1.0, abs=0.3)
    assert "bold" not in table


def test_judges_with_the_taste_of_people_over_weight_nothing():
    rows = preference_patterns(planted_ratings(judges_like_lists=1.0, people_like_lists=1.0, bias=0.0))
    assert not [row.feature for row in rows if row.survives]


def test_intervals_cover_at_their_level_with_clustered_votes():
    """Each battle has a mood that all its votes share; intervals that know it cover 95 %."""
    random = np.random.default_rng(3)
    covered = []
    for _ in range(200):
        x, mood = random.normal(size=(150, 1)), random.normal(size=150)
        p = 1 / (1 + np.exp(-(mood)))
        y = (random.random((150, 4)) < p[:, None]).ravel().astype(float)
        beta, covariance = logistic(np.repeat(x, 4, axis=0), y, [str(n) for n in np.repeat(np.arange(150), 4)])
        covered.append(abs(beta[0]) < 1.96 * covariance[0, 0] ** 0.5)
    assert 0.9 <= np.mean(covered) <= 0.985


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
    "9 battles with votes of judges": lambda: preference_patterns(planted_ratings(battles=9)),
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
