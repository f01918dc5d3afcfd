"""Examples for the OpenAPI description of the battle API: its replies, and its problems with their codes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from arena.web.v1.battle_problems import STATUSES
from arena.web.v1.problems import MEDIA

_CARD = {
    "model": "smollm2-135m-instruct", "page": "/models/smollm2-135m-instruct", "organisation": "Hugging Face",
    "licence": "Apache-2.0", "price_in": 0.02, "price_out": 0.06, "seconds": 3.2, "first_token_seconds": 0.4,
    "tokens": 150, "energy_wh": 0.01, "rating": 1043.2, "lower": 1012.7, "upper": 1073.7, "rank": 1, "battles": 412,
    "url": "https://example.org/smollm2",
}  # fmt: skip
BATTLE = {
    "id": "Zr9xQ2kPm1aB7cDe", "mode": "blind", "status": "voted", "turn": 1, "attempt": 1,
    "can_vote": False, "can_continue": False, "can_stop": False, "can_add_images": False,
    "shared": False, "interrupted": False, "withheld": False, "warned": False,
    "failure": None, "vote": {"winner": "model_a", "reasons": ["correct"], "counts": True, "undo_until": None},
    "models": {"a": "smollm2-135m-instruct", "b": "qwen2.5-0.5b-instruct"},
    "completions": {"a": {"status": "finished", "truncated": False}, "b": {"status": "finished", "truncated": False}},
    "turns": [{"number": 1, "prompt": "Name a tree.", "images": [], "completions": {
        "a": {"text": "Birch.", "status": "finished", "truncated": False},
        "b": {"text": "A tree is the oak.", "status": "finished", "truncated": False}}}],
    "reveal": {"a": _CARD, "b": _CARD, "others": {"votes": 40, "a": 20, "b": 11, "ties": 6, "both_bad": 3},
               "control": None,
               "receipt": {"format": "arena-receipt-1", "vote": 17, "leaf": "bba3adb9bbf211e2" * 4, "content": {},
                           "proof": "/api/v1/receipts/17/" + "bba3adb9bbf211e2" * 4}},
}  # fmt: skip
ARENA = {
    "title": "Arena", "language": "en", "languages": [{"code": "en", "name": "English"}], "can_begin": True,
    "why_not": None, "undo_seconds": 5.0,
    "limits": {"prompt_characters": 20000, "turns": 10, "images": 4, "blind_images": 4, "image_bytes": 5000000},
    "reasons": {"better": [{"reason": "correct", "label": "correct"}], "both_bad": [{"reason": "wrong", "label": "wrong"}]},
    "prompts": {"coding": ["Explain what a race condition is."]},
    "consent": "A battle is published only if you agree to share it.",
    "models_available": 4, "sign_in": None, "models": [{"model": "smollm2-135m-instruct", "images": True}],
}  # fmt: skip
EVENTS = (
    'retry: 1000\n\nevent: text\nid: 1.1.6.6\ndata: {"a":"Birch.","b":"A tree"}\n\n'
    'event: state\nid: 1.1.6.18\ndata: {"id":"Zr9xQ2kPm1aB7cDe","status":"open"}\n\nevent: end\nid: 1.1.6.18\ndata: {}\n\n'
)
TOKEN = {"token": "3q2-7wEhcqTzVhTn9yV1v5Pl3Qm2bJcT0mJd3gV0k1Q.9Hn4b0yq0H7Jk3u1r0yV5o8vJf6qk2mYw0m3zQeXo1s"}
WORDS = {
    401: "No session: no cookie, or a token that is not of this arena",
    403: "The request may come from a page of another site",
    404: "The battle is not the voter's or does not exist",
    409: "The state of the battle does not allow it",
    415: "The body is not of the media type that this address takes",
    422: "The body or a parameter is not valid",
    428: "A challenge comes first; it is in the member `challenge`",
    429: "A limit is reached; Retry-After has the seconds",
    503: "Not now; Retry-After has the seconds",
}
READ, CHANGE = (
    (401, 404, 422, 429, 503),
    tuple(status for status in WORDS if status != 428),
)  # of a first prompt alone


def battle_responses(status: int = 200, *problems: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route that answers with a battle."""
    return {
        status: {"description": "The battle", "content": {"application/json": {"example": BATTLE}}}
    } | problem_responses(*(problems or CHANGE))


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents of a route, with the codes of each status."""
    codes = defaultdict(list)
    for code, status in STATUSES.items():
        codes[status].append(code)
    described: dict[int | str, dict[str, Any]] = {
        status: {
            "description": f"{WORDS[status]}. Codes: {', '.join(codes[status])}",
            "content": {MEDIA: {"example": _problem(status, codes[status][0])}},
        }
        for status in statuses
    }
    other = {"description": "Not a request of this interface", "content": {MEDIA: {}}}
    return described | dict.fromkeys((400, 413, 414), other)


def _problem(status: int, code: str) -> dict[str, Any]:
    return {
        "type": "about:blank", "title": WORDS[status].partition(";")[0].partition(":")[0], "status": status,
        "detail": "What is wrong. What to do.", "instance": "/api/v1/battles", "code": code,
    }  # fmt: skip


BEGIN = battle_responses(201, *WORDS)
EVENT_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The events", "content": {"text/event-stream": {"example": EVENTS}}}
}
STREAM = EVENT_EXAMPLE | problem_responses(*READ)
SESSION: dict[int | str, dict[str, Any]] = {
    201: {"description": "The token", "content": {"application/json": {"example": TOKEN}}}
}
ARENA_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The arena", "content": {"application/json": {"example": ARENA}}}
}
IMAGE = {"id": "Qm3xT0pL7aZc2vBn8dKw1A", "width": 1200, "height": 800, "bytes": 183204}
UPLOADED = problem_responses(*CHANGE) | {
    201: {"description": "The kept image", "content": {"application/json": {"example": IMAGE}}}
}
IMAGE_BYTES = problem_responses(*READ) | {
    200: {"description": "The image", "content": {"image/png": {}, "image/jpeg": {}}}
}
ARENA_RESPONSES = ARENA_EXAMPLE | problem_responses(422)
