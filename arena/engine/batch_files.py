"""Requests as a file for an OpenAI-compatible Batch endpoint, and its results as entries of the journal.

A line's `custom_id` is the request's address, so that a reply finds its place however the run is typed again.
Source: platform.openai.com/docs/guides/batch, "Prepare your batch file" and "Retrieve the results".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from arena.endpoints.endpoint import Reply
from arena.engine.calls import Call, Status, status_of
from arena.engine.model_client import ModelClient
from arena.engine.reply_cache import Entry, ReplyCache

CHAT = "/v1/chat/completions"


class BatchFileError(Exception):
    """A batch file cannot be written or read; the text says what helps."""


def write_batch(
    path: Path, calls: Iterable[Call], targets: Mapping[str, ModelClient], reply_cache: ReplyCache
) -> int:
    """Write what the journal has no reply to, each request once. Returns how many there are.

    Raises `BatchFileError` for a model that is not behind an OpenAI-compatible server.
    """
    written: set[str] = set()
    try:
        with path.open("x", encoding="utf-8") as file:
            for call in calls:
                if call.key in written or call.key in reply_cache:
                    continue
                identity = targets[call.model].identity
                if identity.get("endpoint") != "openai":
                    raise BatchFileError(
                        f"{call.model} runs on this machine; a batch file is for a server's models"
                    )
                body = {**call.body, "model": identity["model"]}
                line = {"custom_id": call.key, "method": "POST", "url": CHAT, "body": body}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                written.add(call.key)
    except OSError as problem:
        raise BatchFileError(f"{path}: cannot be written ({problem.strerror}); give another name") from problem
    return len(written)


def read_batch(path: Path, calls: Iterable[Call], reply_cache: ReplyCache) -> Counter[Status]:
    """Put the results of a batch into the journal, each checked as if it had just been asked; counts by status.

    Raises `BatchFileError` for a file that holds no results of these requests.
    """
    given = _results(path)
    found: Counter[Status] = Counter()
    for call in calls:
        if call.key not in given or call.key in reply_cache:
            continue
        reply, detail = given.pop(call.key)
        problem = call.check(reply) if reply is not None else None
        status = Status.TRANSPORT if reply is None else status_of(problem.reason) if problem else Status.OK
        reply_cache.append(Entry(call.key, status, call.model, reply, problem.reason.value if problem else detail))
        found[status] += 1
    if not found and not any(key in reply_cache for key in given):
        raise BatchFileError(f"{path}: holds no results of these requests; type the command that wrote them")
    return found


def _results(path: Path) -> dict[str, tuple[Reply | None, str]]:
    """By custom_id: the reply, or None and what the server said."""
    found: dict[str, tuple[Reply | None, str]] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    name, reply, detail = _result(line, f"{path}:{number}")
                    found[name] = reply, detail
    except (OSError, UnicodeDecodeError) as problem:
        raise BatchFileError(f"{path}: cannot be read ({problem})") from problem
    return found


def _result(line: str, place: str) -> tuple[str, Reply | None, str]:
    try:
        record: dict[str, Any] = json.loads(line)
        response = record.get("response") or {}
        body = response.get("body") or {}
        name = str(record["custom_id"])
    except (ValueError, KeyError, AttributeError, TypeError) as problem:
        raise BatchFileError(f"{place}: not a result with custom_id and response") from problem
    choices = body.get("choices") if isinstance(body, dict) else None
    if isinstance(choices, list) and choices and isinstance(choices[0].get("message"), dict):
        return name, body, ""
    said = record.get("error") or body.get("error") or response.get("status_code") or "no response"
    return name, None, f"the batch says: {json.dumps(said, ensure_ascii=False)}"[:500]
