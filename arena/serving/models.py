"""The models that this arena serves: the endpoint, availability and requests of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from arena.config import AnyModel, OpenAISettings
from arena.endpoints import Endpoint, EndpointError, Failure, Finish
from arena.endpoints.endpoint import Blame
from arena.endpoints.parameters import with_parameters
from arena.endpoints.thinking import thinking_apart
from arena.rules.model_states import is_private
from arena.rules.name_aliases import Family, extended, shipped_families
from arena.rules.name_masking import NameMasker, names_of
from arena.serving.availability import Availability, State, Visitor
from arena.serving.configured_endpoints import make_endpoint

log = logging.getLogger(__name__)

Message = Mapping[str, Any]  # its content is a text, or a list of parts

RETRY_INTERVAL = 15.0  # seconds between two attempts to reach a server that is down


@dataclass(eq=False)
class ServedModel:
    """One model; its availability changes, and its settings when the file is read again.

    `code` is its name in battles while it is private.
    """

    settings: AnyModel
    endpoint: Endpoint
    availability: Availability = field(default_factory=Availability)
    code: str | None = None
    streams: int = 0  # that run now

    @property
    def name(self) -> str:
        return self.code or self.settings.name

    def request(self, conversation: Sequence[Message]) -> dict[str, Any]:
        """The body of a chat completion for this conversation."""
        system = self.settings.system_prompt
        messages = [{"role": "system", "content": system}] if system else []
        body = {"messages": [*messages, *conversation], "max_tokens": self.settings.max_tokens}
        sent = with_parameters(body, self.settings.parameters)
        return sent | ({"stop": list(self.settings.stop)} if self.settings.stop else {})

    async def stream(self, conversation: Sequence[Message]) -> AsyncGenerator[str | Finish]:
        """The completion, with any thinking before it as `Thinking`, which is no part of it."""
        self.streams += 1
        try:
            async with aclosing(thinking_apart(self.endpoint.stream(self.request(conversation)))) as stream:
                async for event in stream:
                    yield event
        finally:
            self.streams -= 1


@dataclass
class Serving:
    """All models that a battle here may have, by their names in battles.

    Those in `drawn_names` are drawn for new ones. `live_models.LiveModels` changes both while the arena runs.
    """

    models: Mapping[str, ServedModel]
    drawn_names: frozenset[str] | None = None  # None: all of them
    weights: Mapping[str, float] = field(default_factory=dict)  # in place of those of the settings
    boosts: Mapping[str, float] = field(default_factory=dict)  # by which weights of newcomers are multiplied
    configured: tuple[AnyModel, ...] = ()  # the models of the settings file, those that are not served included
    read: Callable[[], tuple[AnyModel, ...]] | None = None  # reads the settings file again
    _starting: dict[ServedModel, asyncio.Task[None]] = field(default_factory=dict)
    _started: bool = False

    def take_configured(self, models: Sequence[AnyModel]) -> None:
        """Know the models of the settings as well, where `serve` was not given them."""
        if not self.configured:
            names = {model.name for model in models}
            others = (model.settings for model in self.models.values() if model.settings.name not in names)
            self.configured = (*models, *others)

    def drawn(self) -> list[ServedModel]:
        """The models that new battles draw when they are available."""
        if self.drawn_names is None:
            return list(self.models.values())
        return [model for name, model in self.models.items() if name in self.drawn_names]

    def available_weights(self, images: bool = False) -> dict[str, float]:
        """The sampling weight of each model that is available now; with `images`, of those that read images."""
        return {
            model.name: self.weights.get(model.name, model.settings.weight) * self.boosts.get(model.name, 1.0)
            for model in self.drawn()
            if model.availability.available and (model.settings.images or not images)
        }

    def choosable(self) -> list[ServedModel]:
        """The available models whose names are known, for voters who choose."""
        return [model for model in self.drawn() if model.availability.available and not is_private(model.name)]

    def image_readers(self) -> int:
        """The number of models that read images, available or not."""
        return sum(model.settings.images for model in self.drawn())

    def started(self) -> int:
        """The number of models that have started, suspended ones included."""
        return sum(model.availability.state is State.READY for model in self.drawn())

    def record_outcomes(self, outcomes: Mapping[str, Blame | None], visitor: Visitor) -> None:
        """Record by model name how the turn of a visitor ended; a model that keeps failing is suspended."""
        for name, blame in outcomes.items():
            availability = self.models[name].availability
            if availability.record_outcome(blame, visitor):
                availability.last_failure = "its completions keep failing"
                log.warning("%s keeps failing and is suspended for %.0f s", name, availability.seconds_to_trial)

    def waiting(self) -> list[ServedModel]:
        return [model for model in self.drawn() if model.availability.state is State.WAITING]

    def names_to_hide(self) -> set[str]:
        """Every name and alias; masking only the two of a battle would reveal them."""
        return {
            name
            for model in self.models.values()
            for name in names_of(model.settings.name, _aliases(model.settings))
        }

    def name_masker(self, additions: Iterable[Family] = ()) -> NameMasker:
        """The masker of all names, with the organisations of the models' facts and `additions` to the shipped table."""
        makers = (
            Family(model.settings.name, organisations=_organisations(model.settings))
            for model in self.models.values()
        )
        return NameMasker(self.names_to_hide(), extended(shipped_families(), [*makers, *additions]))

    def start(self) -> None:
        """Start every model in the background, while the page is already up."""
        self._started = True
        for model in self.models.values():
            self.start_model(model)

    def start_model(self, model: ServedModel) -> None:
        """Start a model in the background, unless that is under way or done, or no model has been started yet."""
        if not self._started or (model in self._starting and not self._starting[model].done()):
            return
        if model in self._starting and model.availability.state is State.READY:
            return
        self._starting[model] = asyncio.create_task(_make_ready(model))

    async def close(self) -> None:
        for task in self._starting.values():
            task.cancel()
        await asyncio.gather(*self._starting.values(), return_exceptions=True)
        await asyncio.gather(*(model.endpoint.close() for model in set(self.models.values())))


def serve(models: Iterable[AnyModel], read: Callable[[], tuple[AnyModel, ...]] | None = None) -> Serving:
    """Endpoints for all enabled models; private ones follow when the store has their codes. Raises `ConfigError`."""
    configured = tuple(models)
    shown = (settings for settings in configured if settings.enabled and not settings.private)
    served = {settings.name: served_model(settings) for settings in shown}
    return Serving(served, configured=configured, read=read)


def served_model(settings: AnyModel, code: str | None = None) -> ServedModel:
    """The model of these settings, not started. Raises `ConfigError`."""
    model: ServedModel

    def report(progress: str) -> None:
        step = progress.partition(",")[0]
        if not model.availability.progress.startswith(step):
            log.info("%s: %s", model.name, step)
        model.availability.progress = progress

    model = ServedModel(settings, make_endpoint(settings, report), code=code)
    return model


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
