"""The models that take a task, each with the best way to call it for that task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from arena.config import AnyModel, LlamaCppSettings, TransformersSettings, VllmSettings
from arena.endpoints import EndpointError
from arena.engine import ModelClient
from arena.errors import ConfigError, WorkFailed
from arena.serving import model_clients
from arena.serving.capabilities import Served, best_request_type
from arena.serving.local_weights import cores
from benchmarks.task import RequestType, Task

LOGLIKELIHOODS_AT_ONCE = 1024  # texts that a local model may sort and read together


@dataclass(frozen=True)
class EvaluatedModel:
    """A model that takes a task: its settings, its client, and the request type that its endpoint serves."""

    settings: AnyModel
    client: ModelClient
    served: Served

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def request_type(self) -> RequestType:
        return self.served.request_type


def with_all_cores(models: Sequence[AnyModel]) -> list[AnyModel]:
    """The models with the cores divided among those that llama.cpp runs here and whose settings name no `threads`.

    A run waits for nothing but its models. Threads change no reply, and so no key of the reply cache.
    """
    free = [model for model in models if isinstance(model, LlamaCppSettings) and model.threads is None]
    share = max(1, cores() // max(1, len(free)))
    return [model.model_copy(update={"threads": share}) if model in free else model for model in models]


def raise_problem(problem: ConfigError | WorkFailed) -> None:
    raise problem


async def evaluated_models(
    task: Task,
    settings: Sequence[AnyModel],
    clients: Mapping[str, ModelClient],
    request_type: RequestType | None,
    skip: Callable[[ConfigError | WorkFailed], None] = raise_problem,
) -> list[EvaluatedModel]:
    """Each model with the best request type that its endpoint serves, or with `request_type` where one is given.

    `skip` is called with the reason for each model that cannot take the task.
    """
    if request_type is not None and request_type not in task.request_types:
        names = ", ".join(task.request_types)
        skip(ConfigError(f"--request-type {request_type}: {task.name} supports {names}. Give one of these."))
        return []
    models = []
    for model in settings:
        client = clients[model.name]
        if task.needs_images and not model.images:
            skip(
                ConfigError(
                    f"{task.name}: {model.name} reads no images. Set images = true if the model reads them."
                )
            )
            continue
        try:
            served = await best_request_type(
                model, client.endpoint, [request_type] if request_type else task.request_types
            )
        except EndpointError as error:
            skip(model_clients.no_answer(f"{task.name}: {model.name}", error))
            continue
        models.append(EvaluatedModel(model, client_for(model, client, served.request_type), served))
    return models


def client_for(settings: AnyModel, client: ModelClient, request_type: RequestType) -> ModelClient:
    """The client with as many calls at once as the model is fastest with.

    A local model that batches log-likelihoods itself sorts and reads thousands together. llama.cpp on the cores reads as
    many tokens per second of one prompt as of several, and each of its slots would read the examples that prompts share
    again: one call at a time reads what is new in each prompt alone.
    """
    if request_type is RequestType.LOGLIKELIHOOD and isinstance(settings, TransformersSettings | VllmSettings):
        return replace(client, concurrency=LOGLIKELIHOODS_AT_ONCE)
    if request_type is RequestType.FIRST_TOKEN and isinstance(settings, LlamaCppSettings):
        return replace(client, concurrency=1)
    return client
