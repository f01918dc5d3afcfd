"""The models of the settings file as the engine sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from arena.config import (
    AnyModel,
    LlamaCppSettings,
    RewardSettings,
    Settings,
    TransformersSettings,
    VllmSettings,
)
from arena.endpoints import EndpointError, Failure, Request
from arena.engine import ModelClient, Price, address
from arena.errors import ConfigError, WorkFailed
from arena.serving.bundled import embedded
from arena.serving.downloads import KNOWN
from arena.serving.models import make_endpoint

SILENT = (Failure.UNREACHABLE, Failure.TIMEOUT, Failure.RATE_LIMITED, Failure.BROKEN)  # may answer another time
# settings that decide when and how fast a model is asked, or what it is called, but not what it replies
NOT_IDENTITY = {
    "name", "enabled", "weight", "aliases", "system_prompt", "max_tokens", "stop", "parameters",
    "concurrency", "requests_per_minute", "tokens_per_minute", "price",
    "api_key_env", "connect_timeout", "read_timeout", "retries",
    "threads", "context", "parallel", "max_batch", "device", "delay",
}  # fmt: skip


def configured(settings: Settings) -> dict[str, AnyModel]:
    """The models that may be named on the command line; without any in the settings, the embedded ones."""
    return {model.name: model for model in settings.models or embedded()}


def no_answer(name: str, error: EndpointError) -> ConfigError | WorkFailed:
    """What an endpoint says, for the command line: a model that can never be asked so is wrong use, one that does
    not answer is work that failed.
    """
    failed = WorkFailed if error.failure in SILENT else ConfigError
    return failed(f"{name}: {error.detail}")


def chosen(models: Mapping[str, AnyModel], names: Iterable[str], option: str) -> list[AnyModel]:
    """The settings of the named models. Raises `ConfigError` that lists the names there are."""
    found: list[AnyModel] = []
    given = list(dict.fromkeys(names))
    if not given:
        raise ConfigError(f"{option}: names no model; there are: {', '.join(models) or 'none'}")
    for name in given:
        if name not in models:
            raise ConfigError(f"{option}: no model is called {name!r}; there are: {', '.join(models) or 'none'}")
        found.append(models[name])
    return found


def target(settings: AnyModel, at_once: int | None = None) -> ModelClient:
    """The model, asked `at_once` times at once in place of what its settings say.

    Raises `ConfigError` for settings that no endpoint can be made of.
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
    """A model on this machine is not asked for more at once than it works on: the rest would only wait in it."""
    if isinstance(settings, LlamaCppSettings):
        return min(settings.concurrency, settings.parallel)
    if isinstance(settings, VllmSettings):
        return settings.max_batch  # vLLM does best with everything there is
    if isinstance(settings, TransformersSettings | RewardSettings):
        return min(settings.concurrency, settings.max_batch)
    return settings.concurrency


def identity(settings: AnyModel) -> dict[str, Any]:
    """All that tells this model from one whose replies may differ. A file counts with its size and time."""
    told = settings.model_dump(mode="json", exclude=NOT_IDENTITY, exclude_none=True)
    if isinstance(settings, LlamaCppSettings):
        if settings.weights in KNOWN:
            told["sha256"] = KNOWN[settings.weights].sha256
        elif settings.path is not None and settings.path.is_file():
            status = settings.path.stat()
            told |= {"size": status.st_size, "modified": status.st_mtime_ns}
    if settings.endpoint == "openai":
        told.setdefault("model", settings.name)
    return told


def key(identity: Mapping[str, Any], body: Request) -> str:
    """The address of a request to a model: what the arena calls that model does not count."""
    return address(identity, {name: value for name, value in body.items() if name != "model"})
