"""The contamination card of one model and one task: what is asked, and what the replies say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from arena.benchmarking.run import wide
from arena.config import AnyModel
from arena.endpoints import EndpointError
from arena.engine import Call, Engine, ReplyCache
from arena.errors import ConfigError, WorkFailed
from arena.serving import model_clients
from arena.serving.capabilities import best_request_type
from benchmarks.contamination import (
    SHARE,
    WORDS,
    against_control,
    canary_known,
    canary_request,
    exchangeability,
    min_k,
    orders,
    overlap,
)
from benchmarks.replies import words
from benchmarks.task import Outcome, Reply, Request, RequestType, Sample, Task

JOINED = "\n\n"


@dataclass(frozen=True)
class Audit:
    """What to try. An order is only canonical in a file that was published in it."""

    shards: int = 10
    permutations: int = 5
    seed: int = 0
    canary: str | None = None


def text_of(task: Task, sample: Sample) -> str:
    """A sample as its task shows it, without examples; what follows the question is not in it."""
    request = task.requests(sample, (), task.request_types[0])[0]
    if "messages" in request:
        return str(request["messages"][-1]["content"])
    return str(request.get("text") or request["context"])


def overlapping(task: Task, samples: Sequence[Sample], corpus: Iterable[str], size: int = WORDS) -> dict[str, Any]:
    """How much of the samples is in a corpus, and the samples that are there most."""
    shares = overlap([text_of(task, sample) for sample in samples], corpus, size)
    worst = sorted(zip(shares, (sample.id for sample in samples), strict=True), reverse=True)[:10]
    return {
        "words": size,
        "mean": float(shares.mean()),
        "any": float((shares > 0).mean()),
        "most": float((shares > 0.7).mean()),  # GPT-3's and PaLM's mark of a contaminated sample
        "worst": {name: float(share) for share, name in worst if share > 0},
    }


def exchanged(
    model: AnyModel, task: Task, samples: Sequence[Sample], audit: Audit, reply_cache: ReplyCache
) -> dict[str, Any]:
    """The sharded exchangeability test, asked through the engine. Raises `ConfigError`."""
    texts = [text_of(task, sample) for sample in samples]
    plan = orders(len(texts), audit.shards, audit.permutations, audit.seed)
    requests = [{"text": JOINED.join(texts[place] for place in order)} for shard in plan for order in shard]
    replies = asyncio.run(_asked(model, requests, reply_cache, RequestType.LOGLIKELIHOOD))
    found = [float(reply["logprob"]) for reply in _whole(model, replies)]
    each = audit.permutations + 1
    rows = [found[start : start + each] for start in range(0, len(found), each)]
    test = exchangeability([row[0] for row in rows], [row[1:] for row in rows])
    return {**asdict(test), "permutations": audit.permutations, "samples": len(texts)}


def unlikely(
    model: AnyModel, task: Task, samples: Sequence[Sample], controls: Mapping[str, str], reply_cache: ReplyCache
) -> dict[str, Any]:
    """Min-K % of the samples' texts, and with `controls` (paraphrases by sample id) whether they lie above theirs.

    Raises `ConfigError`.
    """
    paired = [sample for sample in samples if sample.id in controls] if controls else list(samples)
    if len(paired) < 2:
        raise ConfigError(
            f"--control: has paraphrases of {len(paired)} of the samples; give two at least, by `id`"
        )
    texts = [text_of(task, sample) for sample in paired]
    own = _min_k(model, texts, reply_cache)
    found: dict[str, Any] = {"share": SHARE, "samples": len(texts), "mean": sum(own) / len(own)}
    if controls:
        found |= asdict(against_control(own, _min_k(model, [controls[one.id] for one in paired], reply_cache)))
    return found


def _min_k(model: AnyModel, texts: Sequence[str], reply_cache: ReplyCache) -> list[float]:
    requests = [{"text": text, "token_logprobs": True} for text in texts]
    replies = asyncio.run(_asked(model, requests, reply_cache, RequestType.LOGLIKELIHOOD))
    return [min_k(reply["token_logprobs"]) for reply in _whole(model, replies)]


def _whole(model: AnyModel, replies: Sequence[Reply | None]) -> list[Reply]:
    if missing := sum(reply is None for reply in replies):
        raise WorkFailed(f"{model.name}: {missing} of {len(replies)} texts have no reply; type the command again")
    return [reply for reply in replies if reply is not None]


def canary(model: AnyModel, text: str, reply_cache: ReplyCache) -> dict[str, Any]:
    """Whether the model goes on with the canary string. Raises `ConfigError`."""
    (reply,) = asyncio.run(_asked(model, [canary_request(text)], reply_cache, RequestType.GENERATE))
    said = words(reply, truncated=True)
    return {
        "known": None if isinstance(said, Outcome) else canary_known(said, text),
        "completion": said.reason if isinstance(said, Outcome) else said,
    }


async def _asked(
    model: AnyModel, requests: Sequence[Request], reply_cache: ReplyCache, request_type: RequestType
) -> list[Reply | None]:
    """The replies, in order; those that the journal has are not asked for."""
    target = model_clients.target(model)
    try:
        await best_request_type(model, target.endpoint, [request_type])
        if request_type is RequestType.LOGLIKELIHOOD:
            target = wide(model, target)
        bodies = [{**request, "model": model.name} for request in requests]
        keys = [model_clients.key(target.identity, body) for body in bodies]
        engine = Engine({model.name: target}, reply_cache)
        calls = [Call(key, model.name, body, lambda _: None) for key, body in zip(keys, bodies, strict=True)]
        async for _ in engine.run(iter(calls)):
            pass
        return [reply_cache.reply(key) for key in keys]
    except EndpointError as error:
        raise model_clients.no_answer(model.name, error) from error
    finally:
        await target.endpoint.close()
