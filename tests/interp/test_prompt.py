"""Prompts and their words; sums over words and sentences."""

import numpy as np
import pytest

from interp.attribution import Attribution
from interp.errors import BadOption, BadPrompt
from interp.prompt import Prompt, Unit, groups


def texts(units):
    return [unit.text for unit in units]


def test_words_and_sentences_cover_every_segment():
    prompt = Prompt.of((None, "T:"), ("a", " One two.  Three!\n\n* four "), (None, "|"), ("b", "日本 is 2.5 long"))
    assert texts(prompt.words) == [
        " One",
        " two.",
        "  Three!",
        "\n\n*",
        " four ",
        "日",
        "本",
        " is",
        " 2.5",
        " long",
    ]
    assert texts(prompt.sentences) == [" One two.", "  Three!", "\n\n* four ", "日本 is 2.5 long"]
    for pieces in (prompt.words, prompt.sentences):
        assert "".join(texts(pieces)) == " One two.  Three!\n\n* four 日本 is 2.5 long"
        assert all(prompt.text[unit.start : unit.end] == unit.text for unit in pieces)


def test_segments_that_do_not_fit_are_refused():
    with pytest.raises(BadPrompt, match=r"segment 'b' is \(1, 9\) of a text of 3 characters"):
        Prompt("abc", (("a", 0, 1), ("b", 1, 9)))
    with pytest.raises(BadPrompt, match="do not overlap"):
        Prompt("abc", (("a", 0, 2), ("b", 1, 3)))


def test_a_token_across_two_words_counts_once():
    prompt = Prompt.of(("a", "ab cd"))
    tokens = [Unit("a", 0, 1), Unit("b c", 1, 4), Unit("d", 4, 5)]
    assert groups(tokens, prompt.words) == [[0, 1], [2]]


def attribution(scores, prompt=None):
    prompt = prompt or Prompt.of((None, "T"), ("a", "One two. Three"))
    units = (Unit("T", 0, 1), Unit("One", 1, 4, "a"), Unit(" two", 4, 8, "a"), Unit(".", 8, 9, "a"))
    units += (Unit(" Three", 9, 15, "a"),)
    return Attribution("method", {}, prompt, units, np.array(scores), "f", 1.0)


def test_words_and_sentences_have_signed_sums_without_the_template():
    found = attribution([9.0, 1.0, -2.0, 0.5, 4.0])
    assert found.by_word().scores.tolist() == [1.0, -1.5, 4.0]
    assert found.by_word().by_sentence().scores.tolist() == [-0.5, 4.0]
    assert found.by_sentence().parameters == {"per": "sentence"}
    assert (found.total(), found.ranking().tolist()) == (12.5, [0, 4, 1, 3, 2])
    assert found.with_note("careful").notes == ("careful",)
    assert found.with_note(None) is found


def test_one_score_a_unit():
    with pytest.raises(BadOption, match="2 scores for 5 units"):
        attribution([1.0, 2.0])
