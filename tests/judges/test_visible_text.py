"""What counts as a visible text: at least one character that is drawn."""

import pytest

from judges.visible_text import has_visible_text


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "\u200b", "\u2060\ufeff\u00ad", "\u202e", "\u00a0\u3000", "\u3164", "\u2800", "\ufe0f\u034f",
     "&nbsp;", "&#8203;&ZeroWidthSpace;", "\ud800", "\U000e0041", "\ufdd0"],
)  # fmt: skip
def test_a_text_of_nothing_that_is_drawn_is_not_visible(text):
    assert not has_visible_text(text)


@pytest.mark.parametrize(
    "text", ["0", "\u200b.", "我", "é", "👍", "&amp;", "&", "&#" + "9" * 5000 + ";", "\ufffd"]
)
def test_one_drawn_character_is_enough(text):
    assert has_visible_text(text)
