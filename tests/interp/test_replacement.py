"""Replacements that flip a verdict, on judges whose taste is known."""

import numpy as np
import pytest

from interp.blackbox.counterfactual import smallest_replacement
from interp.errors import BadOption

WORDS = ["good", "plain", "bad", "dull"]
TASTE = {"good": 1.0, "plain": 0.2, "bad": -2.0, "dull": -0.5, "not": 0.0}
SCORES = np.array([1.0, 0.2, -2.0, -0.5])


def judge(offset):
    def edited(edits):
        texts = [[edit.get(unit, word) for unit, word in enumerate(WORDS)] for edit in edits]
        return np.array([offset + sum(TASTE[word] for word in text) for text in texts])

    return edited


def test_the_word_that_supports_most_is_replaced_by_the_one_that_opposes_most():
    found = smallest_replacement(judge(2.0), WORDS, SCORES)
    assert found.before == pytest.approx(0.7)
    assert found.replaced == ((0, "good", "bad"),)
    assert found.flipped
    assert found.after == pytest.approx(-2.3)


def test_what_cannot_be_flipped_says_how_near_it_came():
    found = smallest_replacement(judge(20.0), WORDS, SCORES)
    assert not found.flipped
    assert 0 < found.after < found.before
    assert len(found.replaced) == 2  # the two words that speak for the verdict


def test_replacements_that_the_flip_does_not_need_are_taken_back():
    # alone, replacing "plain" brings 2.2 and "good" 3.0: of both, neither can go back; with less to turn one can
    found = smallest_replacement(judge(5.0), WORDS, SCORES)
    assert found.flipped
    assert len(found.replaced) == 2
    easier = smallest_replacement(judge(4.0), WORDS, np.array([0.1, 1.2, -2.0, -0.5]))
    assert easier.flipped
    assert easier.replaced == ((0, "good", "bad"),)


def test_a_verdict_of_zero_has_nothing_to_flip():
    found = smallest_replacement(lambda edits: np.zeros(len(edits)), WORDS, SCORES)
    assert not found.flipped
    assert found.calls == 1


def test_wrong_options_are_refused():
    with pytest.raises(BadOption, match="most 0"):
        smallest_replacement(judge(1.0), WORDS, SCORES, most=0)
