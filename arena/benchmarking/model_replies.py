"""The replies of one model to a list of requests, through an open session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from arena.config import AnyModel
from arena.endpoints.endpoint import Reply
from arena.engine import Call, CallSession, Engine, ModelClient, Seen
from arena.engine.calls import cannot_be_read
from arena.serving import model_clients
from benchmarks.task import Request
from judges.replies import Unparsable

Check = Callable[[Reply], Unparsable | None]


def model_replies(
    session: CallSession,
    settings: AnyModel,
    client: ModelClient,
    requests: Sequence[Request],
    check: Check = cannot_be_read,
) -> list[Reply | None]:
    """The replies in the order of the requests, None for failed calls. Replies in the cache are not requested."""
    bodies = [{**request, "model": settings.name} for request in requests]
    keys = [model_clients.key(client.identity, body) for body in bodies]
    calls = [Call(key, settings.name, body, check) for key, body in zip(keys, bodies, strict=True)]

    async def work(engine: Engine, seen: Seen) -> None:
        async for result in engine.run(iter(calls)):
            seen(result)

    session.run({settings.name: client}, work, total=len(calls))
    return [session.reply_cache.reply(key) for key in keys]
