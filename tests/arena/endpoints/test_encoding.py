"""Texts as tokens to be results: pairs, rolling windows, disjoint windows."""

import pytest

from arena.endpoints import EndpointError
from arena.endpoints.encoding import log_likelihood_reply, token_pairs, windows


class Letters:
    """A tokenizer with a token a letter."""

    bos_token_id, eos_token_id = 1, 2

    def __call__(self, text, add_special_tokens=True):
        return {"input_ids": [ord(letter) for letter in text]}


def spelled(pairs):
    return [tuple("".join(map(chr, side)) for side in pair) for pair in pairs]


def test_disjoint_windows_drop_the_rest_and_score_all_but_their_first_token():
    assert spelled(windows(Letters(), "abcdefgh", 3)) == [("a", "bc"), ("d", "ef")]
    assert spelled(windows(Letters(), "ab", 3)) == [("a", "b")]


def test_rolling_windows_score_every_token_once():
    found = token_pairs(Letters(), {"text": "abcdefgh"}, 3)
    assert "".join(continuation for _, continuation in spelled(found)) == "abcdefgh"


def test_a_window_is_read_from_the_request():
    assert spelled(token_pairs(Letters(), {"text": "abcd", "window": 2}, 8)) == [("a", "b"), ("c", "d")]
    with pytest.raises(EndpointError, match="Windows of 9 tokens exceed the context of 8"):
        token_pairs(Letters(), {"text": "abcd", "window": 9}, 8)
    with pytest.raises(EndpointError, match="1 tokens in windows of 4"):
        token_pairs(Letters(), {"text": "a", "window": 4}, 8)


def test_the_reply_adds_up_and_names_each_token_only_where_asked():
    results = [((-1.0, -2.0), True), ((-4.0,), False)]
    pairs = [((5,), (6, 7)), ((7,), (8,))]
    reply = log_likelihood_reply({"text": "x"}, results, pairs)
    assert (reply["logprob"], reply["greedy"], reply["tokens"]) == (-7.0, False, 3)
    assert "token_logprobs" not in reply
    assert log_likelihood_reply({"text": "x", "token_logprobs": True}, results, pairs)["token_logprobs"] == [
        -1.0,
        -2.0,
        -4.0,
    ]
