"""The server of known timings that load tests are compared on, and how their errors are judged."""

from pathlib import Path

import httpx
import pytest

from reproduce.load_tests import error, server, truth
from reproduce.peers.load_testers import PEERS, installed

pytestmark = pytest.mark.service
FIRST, GAP, TOKENS = 0.02, 0.01, 4
QUESTION = {"model": "timed", "stream": True, "messages": [{"role": "user", "content": "?"}]}


@pytest.fixture
def address():
    with server(f"--first={FIRST}", f"--gap={GAP}") as found:
        yield found


def ask(address, tokens):
    reply = httpx.post(f"{address}/v1/chat/completions", json={**QUESTION, "max_tokens": tokens}, trust_env=False)
    assert reply.text.endswith("data: [DONE]\n\n")
    return reply.text.count('"word ')


def test_the_record_has_the_requests_for_that_many_tokens_and_forgets_them(address):
    assert [ask(address, tokens) for tokens in (1, TOKENS, TOKENS)] == [1, TOKENS, TOKENS]
    found = truth(address, TOKENS)
    assert found.requests == 2
    assert found.means.ttft >= FIRST
    assert found.means.e2e >= FIRST + (TOKENS - 1) * GAP
    assert found.lag >= 0
    with pytest.raises(RuntimeError, match="no request for 4 tokens; it was sent 0 others"):
        truth(address, TOKENS)


@pytest.mark.parametrize(
    ("measured", "true", "seconds", "said"),
    [
        (0.2019, 0.2, True, ("+1.90 ms (+0.9%)", True)),  # within 2 ms
        (0.0119, 0.01, True, ("+1.90 ms (+19.0%)", True)),
        (1.019, 1.0, True, ("+19.00 ms (+1.9%)", True)),  # within 2 %
        (0.203, 0.1, True, ("+103.00 ms (+103.0%)", False)),
        (97.0, 100.0, False, ("-3.0%", False)),
        (None, 1.0, True, ("–", None)),
    ],
)
def test_an_error_is_small_within_two_milliseconds_or_two_percent(measured, true, seconds, said):
    assert error(measured, true, seconds=seconds) == said


@pytest.mark.parametrize("environment", [None, Path("nowhere")])
def test_a_peer_that_is_not_there_has_no_version(environment):
    assert [installed(environment, peer) for peer in PEERS] == [None, None]
