"""What `ratings` exports, and the names that it exported in 0.1."""

import pytest

import ratings

RENAMED = [
    ("Anchored", ratings.HumanAnchored),
    ("Fragility", ratings.RankRobustness),
    ("Powered", ratings.PredictionPowered),
    ("anchored_counts", ratings.human_anchored_counts),
    ("bootstrap_of", ratings.bootstrap_refits),
    ("fragility", ratings.rank_robustness),
    ("resampled", ratings.resample),
    ("simultaneous", ratings.simultaneous_intervals),
]


@pytest.mark.parametrize(("old", "current"), RENAMED)
def test_a_name_of_the_first_version_still_works_and_warns(old, current):
    with pytest.warns(DeprecationWarning, match=rf"ratings\.{old} was renamed in 0\.2\. Use ratings\.\w+\."):
        assert getattr(ratings, old) is current


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="module 'ratings' has no attribute 'glicko'"):
        ratings.glicko  # noqa: B018


def test_every_exported_name_is_there_and_in_order():
    assert all(hasattr(ratings, name) for name in ratings.__all__)
    assert ratings.__all__ == sorted(ratings.__all__, key=lambda name: (not name.isupper(), name.islower(), name))
