"""Log-likelihoods from an echoing server: the border is found by character offsets alone."""

import pytest

from arena.endpoints import EndpointError
from arena.endpoints.echo import body, log_likelihood

ASK = {"context": "The sky is", "continuation": " deep blue"}


def echoed(tokens, values, tops=None):
    offsets, place = [], 0
    for token in tokens:
        offsets.append(place)
        place += len(token)
    found = {"tokens": tokens, "text_offset": offsets, "token_logprobs": values, "top_logprobs": tops}
    return {"choices": [{"logprobs": found}]}


def test_the_continuation_alone_is_summed_and_the_written_token_left_out():
    said = echoed(["The", " sky", " is", " deep", " blue", "."], [None, -1.0, -2.0, -3.0, -4.0, -9.0])
    reply = log_likelihood(ASK, said)
    assert (reply["logprob"], reply["tokens"]) == (-7.0, 2)
    assert body(ASK)["prompt"] == "The sky is deep blue"


def test_a_token_that_begins_texts_shifts_nothing():
    said = echoed(["", "The", " sky", " is", " deep", " blue", "."], [None, -1.0, -1.0, -2.0, -3.0, -4.0, -9.0])
    assert log_likelihood(ASK, said)["logprob"] == -7.0


def test_a_token_across_the_border_belongs_to_the_continuation():
    said = echoed(["The sky", " is deep", " blue", "."], [None, -3.0, -4.0, -9.0])
    assert log_likelihood(ASK, said)["logprob"] == -7.0


def test_greedy_is_when_every_token_is_the_likeliest():
    tops = [None, {" sky": -1.0}, {" is": -2.0}, {" deep": -3.0}, {" grey": -0.5}, {}]
    said = echoed(["The", " sky", " is", " deep", " blue", "."], [None, -1.0, -2.0, -3.0, -4.0, -9.0], tops)
    assert log_likelihood(ASK, said)["greedy"] is False


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"choices": [{"text": "."}]}, "no log-probabilities"),
        (echoed([], []), "does not echo"),
    ],
)
def test_a_server_that_does_not_echo_is_reported(said, message):
    with pytest.raises(EndpointError, match=message):
        log_likelihood(ASK, said)
