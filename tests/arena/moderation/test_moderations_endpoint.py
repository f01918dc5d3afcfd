"""The scores of a server: read as OpenAI sends them, and a typed failure for whatever else a server sends."""

from __future__ import annotations

import json
import time

import pytest

from arena.config import ModerationSettings
from arena.endpoints.endpoint import EndpointError, Failure
from arena.moderation.checks import text_checks
from arena.rules.text_checks import Action
from tests.support.hostile_server import http, server
from tests.support.moderation_server import moderation_server
from tests.support.timing import NO_HANG

pytestmark = pytest.mark.service
KEY = "sk-very-secret-Zx81"
GOOD = {"categories": {"violence": True}, "category_scores": {"violence": 0.9}}


def reply(*results: object) -> bytes:
    return http(200, json.dumps({"id": "x", "model": "m", "results": list(results)}))


async def scores_of(data: bytes, **settings: object):
    from arena.moderation.moderations_endpoint import ModerationsEndpoint

    async with server(data, **settings) as endpoint:
        return await ModerationsEndpoint(endpoint, 1.0).score(["a bomb"])


async def test_scores_and_flags_are_read_and_unknown_members_ignored():
    odd = {**GOOD, "flagged": True, "category_applied_input_types": {"violence": ["text"]}, "more": 1}
    (scores,) = await scores_of(reply(odd))
    assert (scores.scores, scores.flagged) == ({"violence": 0.9}, frozenset({"violence"}))


async def test_a_category_without_a_score_is_not_scored():
    nulls = {"categories": {"violence": None, "x": True}, "category_scores": {"violence": None}}
    (scores,) = await scores_of(reply(nulls))
    assert (scores.scores, scores.flagged) == ({}, frozenset())


@pytest.mark.parametrize(
    "data",
    [
        http(200, "{"),
        http(200, "[]"),
        http(200, "null"),
        http(200, '{"results": {}}'),
        reply(),
        reply(GOOD, GOOD),
        reply({"category_scores": {"violence": 7}}),
        reply({"category_scores": {"violence": -0.1}}),
        reply({"category_scores": {"violence": "0.9"}}),
        http(200, '{"results": [{"category_scores": {"violence": NaN}}]}'),
        reply({"category_scores": {str(n): 0.1 for n in range(501)}}),
        http(200, "[" * 100_000),
        http(200, "x" * 500_000),
        http(302, "", "Location: http://127.0.0.1:1/\r\n"),
        http(200, b"\x1f\x8b\x08\x00", "Content-Encoding: gzip\r\n"),
        http(204, ""),
        b"not http at all\r\n\r\n",
        b"",
    ],
)
async def test_any_other_reply_is_a_typed_failure(data):
    with pytest.raises(EndpointError) as failed:
        await scores_of(data)
    assert KEY not in failed.value.detail


async def test_a_key_that_a_server_repeats_is_masked():
    with pytest.raises(EndpointError) as failed:
        await scores_of(http(401, json.dumps({"error": {"message": f"Incorrect API key: {KEY}"}})))
    assert failed.value.failure is Failure.UNAUTHORISED
    assert KEY not in failed.value.detail


async def test_a_reply_without_end_and_a_silent_server_end_with_the_timeout():
    with pytest.raises(EndpointError):
        await scores_of(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n", endless=b" " * 1024)
    with moderation_server() as slow:
        slow.delay = 60.0
        checks = text_checks(checked(slow.url, timeout=0.3))
        started = time.monotonic()
        (result,) = await checks.check([("prompt", "a bomb")])
        assert (result.finding, result.failure is not None) == (None, True)
        assert time.monotonic() - started < NO_HANG
        await checks.checker.close()


def checked(url: str, **more: object) -> ModerationSettings:
    return ModerationSettings(**{"backend": "openai", "url": url, "prompt": {"*": "block"}, **more})


async def test_a_busy_server_is_asked_again_within_the_timeout():
    with moderation_server() as busy:
        busy.status, busy.headers = 429, {"retry-after": "0"}
        checks = text_checks(checked(busy.url, retries=2))
        (result,) = await checks.check([("prompt", "a bomb")])
        assert result.finding is None
        assert len(busy.requests) == 3
        busy.headers = {"retry-after": "3600"}
        await checks.check([("prompt", "a bomb")])
        assert len(busy.requests) == 4
        await checks.checker.close()


async def test_a_category_that_the_settings_name_and_the_server_leaves_out_is_not_passed():
    with moderation_server() as one:
        checks = text_checks(checked(one.url, prompt={"self-harm": "block"}))
        (result,) = await checks.check([("prompt", "Name a tree.")])
        assert (result.finding, result.failure) == (None, "no score for self-harm")
        await checks.checker.close()


async def test_thresholds_replace_the_flags_of_the_server_and_the_rest_has_its_own_action():
    with moderation_server() as one:
        rules = {"violence": {"action": "block", "threshold": 0.95}, "*": "warn", "hate": "off"}
        checks = text_checks(checked(one.url, prompt=rules))
        texts = ["a bomb", "a lewd bomb", "a slur"]
        results = await checks.check([("prompt", text) for text in texts])
        assert [result.finding.action for result in results] == [Action.OFF, Action.WARN, Action.OFF]
        await checks.checker.close()


async def test_many_texts_take_few_requests_and_keep_their_order():
    with moderation_server() as one:
        checks = text_checks(checked(one.url))
        texts = [f"text {n} {'bomb' if n % 7 == 0 else 'tree'}" for n in range(70)]
        results = await checks.check([("prompt", text) for text in texts])
        assert [result.blocked for result in results] == [n % 7 == 0 for n in range(70)]
        assert len(one.requests) == 3
        await checks.checker.close()


async def test_a_text_that_is_too_long_is_not_passed():
    with moderation_server() as one:
        checks = text_checks(checked(one.url))
        long, short = await checks.check([("prompt", "x" * 500_000), ("prompt", "a bomb")])
        assert (long.finding, long.failure) == (None, "too long to be checked")
        assert short.blocked
        await checks.checker.close()
