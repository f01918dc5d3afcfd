"""The bound on tokens, against counts of the tokenizer of SmolLM2-135M, which has 49,152 tokens."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.rules.token_bounds import token_bound

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def drawn(letters: str, number: int = 6000) -> str:
    return "".join(Random(0).choices(letters, k=number))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("x " * 8000, 8000),
        ("qz xj vk " * 800, 4801),
        (drawn(LETTERS), 3650),
        (drawn("qxzjvkw"), 4912),
        ("123456 " * 500, 3500),
        ("\U0001f600\U0001f916\U0001f984" * 300, 2700),
        ("为什么天空是蓝色的？请用简单的语言解释。" * 50, 1850),
        ("Почему небо голубое? Объясни простыми словами для ребёнка. " * 50, 2501),
    ],
)
def test_the_bound_is_above_the_tokens_of_a_small_vocabulary(text, tokens):
    assert tokens <= token_bound(text)


def test_english_is_not_counted_much_more_than_it_has():
    text = "A count in memory starts at zero after a restart and on every replica, and a check before it does not help. "
    assert 22 * 50 < token_bound(text * 50) < 60 * 50


@given(st.text())
def test_no_text_has_more_tokens_than_bytes(text):
    assert token_bound(text) <= len(text.encode("utf-8", "replace"))
