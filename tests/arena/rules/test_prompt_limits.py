import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.rules.prompt_limits import CONTROLS, PromptRejected, checked_prompt, clean


@given(st.text(st.characters()))
def test_a_clean_text_can_be_stored_anywhere(text):
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert not CONTROLS.search(cleaned)


def test_line_ends_and_tabs_stay():
    assert clean("a\r\nb\rc\td\x00\x1b[0m") == "a\nb\nc\td[0m"


def test_a_lone_surrogate_does_not_survive():
    assert clean("\ud800x") == "?x"


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\x07", "\u200b\u200d\ufeff", "\u00a0\u2028"])
def test_an_empty_prompt_is_refused(text):
    with pytest.raises(PromptRejected, match="Type a prompt first"):
        checked_prompt(text, 100)


def test_a_huge_prompt_is_refused_with_its_length():
    with pytest.raises(PromptRejected, match="200,000 characters; at most 20,000"):
        checked_prompt("x" * 200_000, 20_000)
