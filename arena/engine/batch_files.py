"""Requests as a file for an OpenAI-compatible Batch endpoint, and its results as entries of the reply cache.

A line's `custom_id` is the key of its request, by which any later run finds the reply.
Source: platform.openai.com/docs/guides/batch, "Prepare your batch file" and "Retrieve the results".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from arena.config.given_files import plain_file
from arena.endpoints.endpoint import EndpointError, Reply
from arena.endpoints.reply_schema import chat_reply, read_json
from arena.engine.calls import Call, Status, status_of
from arena.engine.model_client import ModelClient
from arena.engine.reply_cache import Entry, ReplyCache
from arena.errors import ConfigError

CHAT = "/v1/chat/completions"


class BatchFileError(ConfigError):
    """A batch file cannot be written or read; the text says what to do."""


def write_batch(
    path: Path, calls: Iterable[Call], clients: Mapping[str, ModelClient], reply_cache: ReplyCache
) -> int:
    """Write each request without a cached reply once, and return their number.

    Raises `BatchFileError` for a model that is not behind an OpenAI-compatible server.
    """
    written: set[str] = set()
    try:
        with path.open("x", encoding="utf-8") as file:
            for call in calls:
                if call.key in written or call.key in reply_cache:
                    continue
                identity = clients[call.model].identity
                if identity.get("endpoint") != "openai":
                    raise BatchFileError(
                        f"{call.model} is no model of an OpenAI-compatible server. Remove it, or run without --batch-out."
                    )
                body = {**call.body, "model": identity["model"]}
                line = {"custom_id": call.key, "method": "POST", "url": CHAT, "body": body}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                written.add(call.key)
    except OSError as problem:
        raise BatchFileError(f"{path} cannot be written ({problem.strerror}). Choose another name.") from problem
    return len(written)


def read_batch(path: Path, calls: Iterable[Call], reply_cache: ReplyCache) -> Counter[Status]:
    """Add the results of a batch to the reply cache, checked as new replies are; their counts by status.

    Raises `BatchFileError` for a file without results of these requests.
    """
    results = _results(path)
    counts: Counter[Status] = Counter()
    for call in calls:
        if call.key not in results or call.key in reply_cache:
            continue
        reply, detail = results.pop(call.key)
        problem = call.problem(reply) if reply is not None else None
        status = Status.TRANSPORT if reply is None else status_of(problem.reason) if problem else Status.OK
        reply_cache.append(Entry(call.key, status, call.model, reply, problem.reason.value if problem else detail))
        counts[status] += 1
    if not counts and not any(key in reply_cache for key in results):
        raise BatchFileError(f"{path} has no results of these requests. Run the command that wrote them.")
    return counts


def _results(path: Path) -> dict[str, tuple[Reply | None, str]]:
    """By custom_id: the reply, or None and the server's error."""
    results: dict[str, tuple[Reply | None, str]] = {}
    try:
        with plain_file(path).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    name, reply, detail = _result(line, f"{path}:{number}")
                    results[name] = reply, detail
    except (OSError, UnicodeDecodeError) as problem:
        raise BatchFileError(f"{path} cannot be read ({problem}). Check the file.") from problem
    return results


def _result(line: str, place: str) -> tuple[str, Reply | None, str]:
    try:
        record: dict[str, Any] = read_json(line)
        response = record.get("response") or {}
        body = response.get("body") or {}
        name = str(record["custom_id"])
    except (ValueError, KeyError, AttributeError, TypeError) as problem:
        raise BatchFileError(
            f"{place} is not a batch result with custom_id and response. Download the results again."
        ) from problem
    if isinstance(body, dict) and "choices" in body:
        try:
            return name, chat_reply(body), ""
        except EndpointError as problem:
            return name, None, problem.detail
    failed = body.get("error") if isinstance(body, dict) else None
    error = record.get("error") or failed or response.get("status_code") or "no response"
    return name, None, f"batch error: {json.dumps(error, ensure_ascii=False)}"[:500]
