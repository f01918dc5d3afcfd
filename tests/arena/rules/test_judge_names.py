"""Which names are one judge follows from the names alone."""

from __future__ import annotations

import pytest

from arena.rules.judge_names import judges_of, repeated_judges


@pytest.mark.parametrize(
    ("sources", "repeated"),
    [
        (["human", "judge:a", "judge:b"], {}),
        (["judge:a", "judge:a#1", "judge:a#2"], {"judge:a#1": "judge:a", "judge:a#2": "judge:a"}),
        (["judge:a#2", "judge:a#1"], {"judge:a#2": "judge:a#1"}),
        (["judge:a+b", "judge:b"], {"judge:a+b": "judge:b"}),
        (["judge:a+b"], {}),
        (["judge:a+b", "judge:b+c"], {"judge:b+c": "judge:a+b"}),
        (["judge:org/a:8b", "judge:org/a"], {}),
        (["judge:a+b#long", "judge:c"], {}),
    ],
)
def test_one_name_of_each_judge_counts(sources, repeated):
    assert dict(repeated_judges(sources)) == repeated
    assert dict(repeated_judges(reversed(sources))) == repeated


def test_a_panel_stands_for_its_members():
    assert judges_of("judge:org/a#terse+b") == ("org/a", "b")
