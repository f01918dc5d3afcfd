"""The requests of a run, built once: every sample with the bodies a model is sent and the keys of their replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.benchmarking.evaluated_models import EvaluatedModel
from arena.benchmarking.selection import SelectedTask
from arena.endpoints.endpoint import Reply
from arena.endpoints.parameters import LIMIT, limited, with_parameters
from arena.engine import Call
from arena.serving import model_clients
from benchmarks.replies import content_text
from benchmarks.sample_tasks import token_limit
from benchmarks.task import Request, Sample, Task
from judges.replies import Reason, Unparsable


@dataclass(frozen=True, slots=True)
class SampleRequests:
    """What one model is sent about one sample. `keys` are the addresses of the replies in the reply cache."""

    sample: Sample
    prompt: str  # the words of the first request without few-shot examples, for readers
    bodies: Sequence[Request]
    keys: Sequence[str]


Requests = Mapping[str, Sequence[SampleRequests]]  # by model, in the order of the samples


def build_requests(
    selected: SelectedTask, models: Sequence[EvaluatedModel], max_tokens: int | None = None
) -> Requests:
    """The requests about every sample for every model. Models of one request type share the texts of the prompts.

    `max_tokens` replaces the task's limit of a completion; without it, sample items have at most their own.
    """
    task, examples = selected.task, selected.examples()
    most = token_limit(task) if max_tokens is None else None
    request_types = {model.request_type for model in models}
    requests: dict[str, list[SampleRequests]] = {model.name: [] for model in models}
    for sample in selected.samples:
        shots = examples(sample)
        built = {request_type: task.requests(sample, shots, request_type) for request_type in request_types}
        prompts = {}
        for request_type in request_types:
            without_examples = task.requests(sample, (), request_type) if shots else built[request_type]
            prompts[request_type] = request_text(without_examples[0]) if without_examples else ""
        for model in models:
            bodies = [body(model, request, max_tokens, most) for request in built[model.request_type]]
            keys = [model_clients.key(model.client.identity, sent) for sent in bodies]
            requests[model.name].append(SampleRequests(sample, prompts[model.request_type], bodies, keys))
    return requests


def body(
    model: EvaluatedModel, request: Request, max_tokens: int | None = None, most: int | None = None
) -> dict[str, Any]:
    """The request as this model is sent it. The task decides how it is sampled; the model's own settings add a
    system prompt, stop strings, and parameters that the task does not set. A completion has `max_tokens` in place of
    the task's limit, and never more than `most`.
    """
    if "messages" not in request:
        return {**request, "model": model.name}
    settings = model.settings
    system = [{"role": "system", "content": settings.system_prompt}] if settings.system_prompt else []
    messages = [*system, *request["messages"]]
    sent = with_parameters(
        {**request, "messages": messages, "model": model.name}, settings.parameters, body_wins=True
    )
    own = request.get(LIMIT, 0)
    wanted = max_tokens if max_tokens is not None else own
    limit = wanted if most is None else min(wanted, most)
    if own > 1 and limit != own:
        sent = limited(sent, limit)
    stops = list(dict.fromkeys([*request.get("stop", ()), *settings.stop]))  # each once, in order
    if stops:
        sent["stop"] = stops
    return sent


def request_text(request: Request) -> str:
    """The words of a request of any kind."""
    if "messages" in request:
        return "\n\n".join(content_text(message.get("content")) for message in request["messages"])
    return str(request.get("context", request.get("text", "")))


def calls(task: Task, requests: Requests) -> Iterator[Call]:
    """The calls of all samples, one model after the other within each sample."""
    check = accept_any if task.dimension == "safety" else withheld_by_filter
    for of_sample in zip(*requests.values(), strict=True):
        for model, request in zip(requests, of_sample, strict=True):
            for key, sent in zip(request.keys, request.bodies, strict=True):
                yield Call(key, model, sent, check)


def call_count(requests: Requests) -> int:
    """The number of calls."""
    return sum(len(request.keys) for of_model in requests.values() for request in of_model)


def withheld_by_filter(reply: Reply) -> Unparsable | None:
    """Why a reply that a content filter withheld is not scored; None for any other one, truncated or not."""
    choices = reply.get("choices")
    if choices and choices[0].get("finish_reason") == "content_filter":
        return Unparsable(Reason.REFUSED)
    return None


def accept_any(_: Reply) -> Unparsable | None:
    """None: to a harmful request the refusal of a content filter is the reply."""
    return None
