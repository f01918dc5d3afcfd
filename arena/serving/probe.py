"""The check of `arena models --probe`: one short completion of a model, and what to do if it fails."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

from arena.config import AnyModel, OpenAISettings
from arena.endpoints import Endpoint, EndpointError, Failure, Finish, Probe
from arena.endpoints.endpoint import Thinking
from arena.endpoints.failures import typed_failures
from arena.endpoints.openai import OpenAI
from arena.endpoints.parameters import limited
from arena.errors import ConfigError
from arena.serving.configured_endpoints import make_endpoint
from arena.serving.models import ServedModel
from judges.visible_text import has_visible_text

TIMEOUT = 120.0  # seconds; weights may have to be loaded

ADVICE = {
    Failure.UNREACHABLE: "is the server running, and is `url` right?",
    Failure.TIMEOUT: "the server takes the request but is silent; look at its own log",
    Failure.RATE_LIMITED: "wait, or ask the provider for a higher limit",
    Failure.UNAUTHORISED: "check the key in the variable that `api_key_env` names",
    Failure.REFUSED: "check `model` and `parameters`",
    Failure.BROKEN: "is this an OpenAI-compatible server, and does `url` end in /v1?",
    Failure.NOT_READY: "",
    Failure.UNUSABLE: "",
}


async def probe(settings: AnyModel) -> Probe:
    """The result of one short completion; no failure of the model raises."""
    try:
        endpoint = make_endpoint(settings)
    except ConfigError as error:
        return Probe(False, str(error))
    try:
        async with asyncio.timeout(TIMEOUT):
            with typed_failures(settings.name):
                await endpoint.start()
                return await _first_words(ServedModel(settings, endpoint))
    except EndpointError as error:
        return Probe(False, str(error), await _advice(settings, endpoint, error))
    except TimeoutError:
        return Probe(False, f"no words within {TIMEOUT:g} s", ADVICE[Failure.TIMEOUT])
    finally:
        await endpoint.close()


async def _first_words(model: ServedModel) -> Probe:
    started, first, text = time.monotonic(), None, ""
    request = limited(model.request([{"role": "user", "content": "Say hello."}]), 16)
    async with aclosing(model.endpoint.stream(request)) as events:
        async for event in events:
            if isinstance(event, Finish):
                break
            first = first if first is not None else time.monotonic() - started
            text += "" if isinstance(event, Thinking) else event
    if not has_visible_text(text):
        return Probe(False, "answers, but with no text", "does it need a larger `max_tokens`?")
    return Probe(True, " ".join(text.split()), seconds=first)


async def _advice(settings: AnyModel, endpoint: Endpoint, error: EndpointError) -> str:
    """What to do; for a model that the server does not have, the names it has."""
    if error.failure is Failure.REFUSED and isinstance(settings, OpenAISettings) and isinstance(endpoint, OpenAI):
        try:
            names = await endpoint.models()
        except EndpointError:
            names = []
        if names and endpoint.model not in names:
            return f"`model` {endpoint.model!r} is not there; the server has: {', '.join(sorted(names)[:12])}"
    return ADVICE[error.failure] if isinstance(settings, OpenAISettings) else ""
