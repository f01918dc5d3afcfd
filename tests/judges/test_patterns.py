"""What judges weigh more than people, and not what they follow more sharply."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from judges.errors import BadOption
from judges.patterns import POSITION, Preference, features, preference_patterns


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


def sharp_ratings(seed, sharpness=2.5, battles=600):
    """A judge that sees what people see, more sharply, between models of different ability; lists are quality."""
    random = np.random.default_rng(seed)
    ability = dict(zip("pqrst", random.normal(size=5), strict=True))
    made = []
    for battle in range(battles):
        lists, (a, b) = random.integers(0, 5, size=2), random.choice(list("pqrst"), 2, replace=False)
        texts = ["\n".join(["- x"] * n) + "\n" + "word " * random.integers(3, 60) for n in lists]
        lead = 0.7 * (ability[a] - ability[b]) + 1.5 * (np.log1p(lists[0]) - np.log1p(lists[1]))
        for judge in (True, False):
            wins = random.random() < 1 / (1 + np.exp(-lead * (sharpness if judge else 1.0)))
            made.append(Preference(battle, *texts, float(wins), judge, None, a, b))
    return made


def test_a_sharper_judge_over_weights_nothing():
    """Separate weights for judges and people gave lists .25 to 1.25 here, significant in six of six."""
    found = [preference_patterns(sharp_ratings(seed)) for seed in range(6)]
    lists = [row for table in found for row in table if row.feature == "list items"]
    assert np.mean([row.over_weight for row in lists]) == pytest.approx(0, abs=0.25)
    assert sum(row.survives for row in lists) <= 1


def test_what_no_judge_saw_has_no_weight_of_judges():
    rows = planted_ratings()
    linked = [replace(r, text_a=r.text_a + " [x](y)") if not r.judge and r.battle < 50 else r for r in rows]
    table = {row.feature: row for row in preference_patterns(linked)}
    links = table["links"]
    assert (links.judges, links.over_weight, links.lower, links.p, links.survives) == (
        None,
        None,
        None,
        None,
        False,
    )
    assert links.people is not None


def test_a_feature_of_two_battles_has_no_interval():
    rows = [replace(r, text_a=r.text_a + " [x](y)") if r.battle < 2 else r for r in planted_ratings()]
    links = {row.feature: row for row in preference_patterns(rows)}["links"]
    assert (links.lower, links.upper, links.p, links.survives) == (None, None, None, False)


def test_too_few_battles_and_wrong_values_are_refused():
    with pytest.raises(BadOption, match="9 battles with votes of judges"):
        preference_patterns(planted_ratings(battles=9))
    with pytest.raises(BadOption, match="preference 2"):
        preference_patterns([replace(row, preference=2.0) for row in planted_ratings(battles=12)])
