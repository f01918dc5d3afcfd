"""The models that this arena serves: the endpoint, availability and requests of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from arena.config import (
    AnyModel,
    LlamaCppSettings,
    OpenAISettings,
    RewardSettings,
    ScriptedSettings,
    TransformersSettings,
    VllmSettings,
    api_key,
)
from arena.endpoints import Endpoint, EndpointError, Failure, Finish
from arena.endpoints.endpoint import Blame
from arena.endpoints.scripted import Scripted
from arena.errors import ConfigError
from arena.rules.name_aliases import Family, extended, shipped_families
from arena.rules.name_masking import NameMasker, names_of
from arena.serving.availability import SUSPENSION_SECONDS, Availability, State, Visitor

log = logging.getLogger(__name__)

Message = Mapping[str, Any]  # its content is a text, or a list of parts

RETRY_INTERVAL = 15.0  # seconds between two attempts to reach a server that is down


@dataclass
class ServedModel:
    """One model; its availability changes, its settings do not."""

    settings: AnyModel
    endpoint: Endpoint
    availability: Availability = field(default_factory=Availability)

    @property
    def name(self) -> str:
        return self.settings.name

    def request(self, conversation: Sequence[Message]) -> dict[str, Any]:
        """The body of a chat completion for this conversation."""
        system = self.settings.system_prompt
        messages = [{"role": "system", "content": system}] if system else []
        body: dict[str, Any] = {
            "messages": [*messages, *conversation],
            "max_tokens": self.settings.max_tokens,
            **self.settings.parameters,
        }
        return body | ({"stop": list(self.settings.stop)} if self.settings.stop else {})

    async def stream(self, conversation: Sequence[Message]) -> AsyncGenerator[str | Finish]:
        async with aclosing(self.endpoint.stream(self.request(conversation))) as stream:
            async for event in stream:
                yield event


@dataclass
class Serving:
    """All models under comparison."""

    models: Mapping[str, ServedModel]
    _starting: list[asyncio.Task[None]] = field(default_factory=list)

    def available_weights(self, images: bool = False) -> dict[str, float]:
        """The sampling weight of each model that is available now; with `images`, of those that read images."""
        return {
            name: model.settings.weight
            for name, model in self.models.items()
            if model.availability.available and (model.settings.images or not images)
        }

    def image_readers(self) -> int:
        """The number of models that read images, available or not."""
        return sum(model.settings.images for model in self.models.values())

    def started(self) -> int:
        """The number of models that have started, suspended ones included."""
        return sum(model.availability.state is State.READY for model in self.models.values())

    def record_outcomes(self, outcomes: Mapping[str, Blame | None], visitor: Visitor) -> None:
        """Record by model name how the turn of a visitor ended; a model that keeps failing is suspended."""
        for name, blame in outcomes.items():
            if self.models[name].availability.record_outcome(blame, visitor):
                log.warning("%s keeps failing and is suspended for %g s", name, SUSPENSION_SECONDS)

    def waiting(self) -> list[ServedModel]:
        return [model for model in self.models.values() if model.availability.state is State.WAITING]

    def names_to_hide(self) -> set[str]:
        """Every name and alias; masking only the two of a battle would reveal them."""
        return {name for model in self.models.values() for name in names_of(model.name, _aliases(model.settings))}

    def name_masker(self, additions: Iterable[Family] = ()) -> NameMasker:
        """The masker of all names, with the organisations of the models' facts and `additions` to the shipped table."""
        makers = (
            Family(name, organisations=_organisations(model.settings)) for name, model in self.models.items()
        )
        return NameMasker(self.names_to_hide(), extended(shipped_families(), [*makers, *additions]))

    def start(self) -> None:
        """Start every model in the background, while the page is already up."""
        self._starting = [asyncio.create_task(_make_ready(model)) for model in self.models.values()]

    async def close(self) -> None:
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        await asyncio.gather(*(model.endpoint.close() for model in self.models.values()))


def serve(models: Iterable[AnyModel]) -> Serving:
    """Endpoints for all enabled models. Raises `ConfigError`."""
    served = {settings.name: _served(settings) for settings in models if settings.enabled}
    return Serving(served)


def _served(settings: AnyModel) -> ServedModel:
    model: ServedModel

    def report(progress: str) -> None:
        step = progress.partition(",")[0]
        if not model.availability.progress.startswith(step):
            log.info("%s: %s", model.name, step)
        model.availability.progress = progress

    model = ServedModel(settings, make_endpoint(settings, report))
    return model


def make_endpoint(settings: AnyModel, report: Callable[[str], None] = log.debug) -> Endpoint:
    """The endpoint that these settings describe, not started. Raises `ConfigError`."""
    if isinstance(settings, ScriptedSettings):
        return Scripted(settings.replies, settings.style, settings.delay, settings.fault)
    if isinstance(settings, OpenAISettings):
        return _openai(settings)
    if isinstance(settings, LlamaCppSettings):
        return _llama_cpp(settings, report)
    if isinstance(settings, VllmSettings):
        return _vllm(settings)
    if isinstance(settings, RewardSettings):
        return _reward(settings)
    return _transformers(settings)


def _vllm(settings: VllmSettings) -> Endpoint:
    from arena.endpoints.vllm import Vllm

    return Vllm(
        settings.source,
        revision=settings.revision,
        dtype=settings.dtype,
        max_batch=settings.max_batch,
        chat_template=settings.chat_template,
        options=settings.options,
    )


def _reward(settings: RewardSettings) -> Endpoint:
    from arena.endpoints.reward import Reward

    return Reward(
        settings.source,
        revision=settings.revision,
        dtype=settings.dtype,
        device=settings.device,
        threads=settings.threads,
        max_batch=settings.max_batch,
        chat_template=settings.chat_template,
    )


def _openai(settings: OpenAISettings) -> Endpoint:
    from arena.endpoints.openai import OpenAI

    return OpenAI(
        settings.url,
        settings.model or settings.name,
        key=api_key(settings.api_key_env),
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        retries=settings.retries,
    )


def _llama_cpp(settings: LlamaCppSettings, report: Callable[[str], None]) -> Endpoint:
    from arena.endpoints.llama_cpp import LlamaCpp
    from arena.serving.downloads import KNOWN, fetch

    if settings.weights is not None and settings.weights not in KNOWN:
        raise ConfigError(
            f"{settings.name}: weights {settings.weights!r} are unknown. Use one of: {', '.join(KNOWN)}."
        )
    if settings.path is not None and not settings.path.is_file():
        raise ConfigError(f"{settings.name}: no such file: {settings.path}. Give `path` a GGUF file.")

    async def find() -> str:
        if settings.path is not None:
            return str(settings.path)
        return str(await asyncio.to_thread(fetch, KNOWN[settings.weights or ""], report))

    return LlamaCpp(
        find,
        alias=settings.name,
        chat_template=settings.chat_template,
        threads=settings.threads,
        context=settings.context,
        parallel=settings.parallel,
        report=report,
    )


def _transformers(settings: TransformersSettings) -> Endpoint:
    from arena.endpoints.transformers import Transformers

    return Transformers(
        settings.source,
        revision=settings.revision,
        dtype=settings.dtype,
        device=settings.device,
        threads=settings.threads,
        max_batch=settings.max_batch,
        chat_template=settings.chat_template,
    )


def _aliases(settings: AnyModel) -> set[str]:
    server_name = {settings.model} if isinstance(settings, OpenAISettings) and settings.model else set()
    return {*settings.aliases, *server_name}


def _organisations(settings: AnyModel) -> tuple[str, ...]:
    return (settings.facts.organisation,) if settings.facts.organisation else ()


async def _make_ready(model: ServedModel) -> None:
    """Start the endpoint. A server that is down is retried; after any other failure the model stays unavailable."""
    availability = model.availability
    while True:
        try:
            await model.endpoint.start()
        except EndpointError as error:
            if availability.detail != error.detail:
                log.error("%s is unavailable: %s", model.name, error.detail)
            availability.state, availability.detail = State.UNAVAILABLE, error.detail
            if error.failure not in (Failure.UNREACHABLE, Failure.TIMEOUT):
                return
            await asyncio.sleep(RETRY_INTERVAL)
        else:
            availability.state, availability.progress, availability.detail = State.READY, "ready", ""
            log.info("%s is ready", model.name)
            return
