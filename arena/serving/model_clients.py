"""The models of the settings file as clients for the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from arena.config import (
    AnyModel,
    LlamaCppSettings,
    OpenAISettings,
    RewardSettings,
    Settings,
    TransformersSettings,
    VllmSettings,
)
from arena.endpoints import EndpointError, Failure, Request
from arena.engine import ModelClient, Price, address
from arena.errors import ConfigError, WorkFailed
from arena.serving.bundled import embedded
from arena.serving.configured_endpoints import make_endpoint
from arena.serving.downloads import KNOWN

SILENT = (Failure.UNREACHABLE, Failure.TIMEOUT, Failure.RATE_LIMITED, Failure.BROKEN)  # may reply another time
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ON_GPU = 128  # calls at once; the endpoint takes as many of them as fit into its memory, and the others wait
DRIVERS = ("/dev/nvidiactl", "/dev/kfd")  # of NVIDIA's and AMD's GPUs
# settings that change the name of a model or the time and pace of its calls, but no reply
NOT_IDENTITY = {
    "name", "enabled", "weight", "aliases", "system_prompt", "max_tokens", "stop", "parameters",
    "concurrency", "requests_per_minute", "tokens_per_minute", "price",
    "api_key_env", "connect_timeout", "read_timeout", "retries",
    "threads", "context", "parallel", "max_batch", "device", "delay",
}  # fmt: skip


def configured(settings: Settings) -> dict[str, AnyModel]:
    """The configured models by name; the embedded ones if the settings have none."""
    return {model.name: model for model in settings.models or embedded()}


def no_answer(name: str, error: EndpointError) -> ConfigError | WorkFailed:
    """The error of an endpoint for the command line: wrong use for a permanent failure, failed work for one that
    may pass.
    """
    failed = WorkFailed if error.failure in SILENT else ConfigError
    return failed(f"{name}: {error.detail}")


def other_machine(model: AnyModel) -> str | None:
    """The host that receives the model's prompts; None for a model in this process or on this machine."""
    if not isinstance(model, OpenAISettings):
        return None
    host = urlsplit(model.url).hostname or model.url
    return None if host in LOOPBACK else host


def chosen(models: Mapping[str, AnyModel], names: Iterable[str], option: str) -> list[AnyModel]:
    """The settings of the named models. Raises `ConfigError` that lists the names there are."""
    given = list(dict.fromkeys(names))
    available = ", ".join(models) or "none"
    if not given:
        raise ConfigError(f"{option}: no model is named. Name one of: {available}.")
    for name in given:
        if name not in models:
            raise ConfigError(f"{option}: no model is called {name!r}. Name one of: {available}.")
    return [models[name] for name in given]


def model_client(settings: AnyModel, at_once: int | None = None) -> ModelClient:
    """The client of a model, with up to `at_once` calls at once instead of the number in its settings.

    Raises `ConfigError` for settings that describe no endpoint.
    """
    return ModelClient(
        make_endpoint(settings),
        identity(settings),
        concurrency=at_once or concurrency(settings),
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        price=Price(settings.price.prompt, settings.price.completion) if settings.price else None,
        parameters=settings.parameters,
        # without it the prompt's own words ask for JSON, and the reader is as strict
        lacks=frozenset({"response_format"} if isinstance(settings, TransformersSettings) else ()),
    )


def concurrency(settings: AnyModel) -> int:
    """The number of concurrent calls; for a model on this machine at most the size of its batch."""
    if isinstance(settings, LlamaCppSettings):
        return min(settings.concurrency, settings.parallel)
    if isinstance(settings, VllmSettings):
        return settings.max_batch  # vLLM does best with everything there is
    if isinstance(settings, TransformersSettings | RewardSettings) and settings.max_batch is not None:
        return min(settings.concurrency, settings.max_batch)
    if isinstance(settings, TransformersSettings) and "concurrency" not in settings.model_fields_set:
        return ON_GPU if _on_gpu(settings) else settings.concurrency
    return settings.concurrency


def _on_gpu(settings: TransformersSettings) -> bool:
    """True where the model will be on a GPU, told without torch, which takes seconds to import."""
    if settings.device is not None:
        return settings.device != "cpu"
    return any(Path(driver).exists() for driver in DRIVERS)


def identity(settings: AnyModel) -> dict[str, Any]:
    """The settings that may change a model's replies. A file is identified by its size and time."""
    fields = settings.model_dump(mode="json", exclude=NOT_IDENTITY, exclude_none=True)
    if fields.get("api") == "chat":  # as before there was a choice, so that saved replies keep their keys
        del fields["api"]
    if isinstance(settings, LlamaCppSettings):
        if settings.weights in KNOWN:
            fields["sha256"] = KNOWN[settings.weights].sha256
        elif settings.path is not None and settings.path.is_file():
            status = settings.path.stat()
            fields |= {"size": status.st_size, "modified": status.st_mtime_ns}
    if settings.endpoint == "openai":
        fields.setdefault("model", settings.name)
    return fields


def key(identity: Mapping[str, Any], body: Request, repeat: int = 0) -> str:
    """The address of a request in the reply cache; the model's name in the arena is no part of it."""
    return address(identity, {name: value for name, value in body.items() if name != "model"}, repeat)
