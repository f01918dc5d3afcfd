"""Changes to the models of a running arena: enabled, paused, retired, weighted, and read again from the settings file.

One event loop. A model that is no longer drawn keeps its endpoint, so that its running battles end normally.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime

from arena.config import AnyModel, ModelSettings, Settings
from arena.endpoints import EndpointError
from arena.endpoints.failures import typed_failures
from arena.errors import ConfigError
from arena.rules.model_states import ModelControl, ModelState
from arena.serving.model_states import NOTHING_SET, as_set, state_of
from arena.serving.models import ServedModel, Serving, served_model

log = logging.getLogger(__name__)

TRIAL_TIMEOUT = 30.0  # seconds until the first text; a slower endpoint would lose its voters
TRIAL = ({"role": "user", "content": "Hello!"},)


class LiveModels:
    """The models of a `Serving`, by the settings file and what operators have set."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.configured = serving.configured or tuple(model.settings for model in serving.models.values())
        self.controls: Mapping[str, ModelControl] = {}
        self.applied = 0  # the number of the last change
        self._shown: Settings | None = None
        self._former: list[ServedModel] = []  # replaced by new settings; closed when their streams have ended
        self._trials: set[asyncio.Task[None]] = set()

    def control(self, name: str) -> ModelControl:
        return self.controls.get(name, NOTHING_SET)

    def state(self, settings: AnyModel) -> ModelState:
        return state_of(settings, self.control(settings.name), _today())

    def shown(self, settings: Settings) -> Settings:
        """The settings as readers see them: without private models, and with what operators have set for the others."""
        if self._shown is None:
            public = (model for model in self.configured if not self._is_private(model))
            models = tuple(as_set(model, self.control(model.name)) for model in public)
            self._shown = settings.model_copy(update={"models": models})
        return self._shown

    def apply(self, controls: Mapping[str, ModelControl], version: int = 0) -> list[tuple[str, str]]:
        """Serve and draw what operators have set up to the change `version`.

        Returns the (model, reason) of those that cannot be served.
        """
        self.controls, self._shown = controls, None
        self.applied = version
        models, drawn, weights, problems = dict(self.serving.models), set(), {}, []
        for settings in self.configured:
            try:
                model = self._named(models, settings)
            except ConfigError as problem:
                problems.append((settings.name, str(problem)))
                continue
            if model is not None and self.state(settings) is ModelState.ENABLED:
                drawn.add(model.name)
                if (weight := self.control(settings.name).weight) is not None:
                    weights[model.name] = weight
        self.serving.models, self.serving.weights = models, weights
        self.serving.drawn_names = frozenset(drawn)
        for model in self.serving.drawn():
            self.serving.start_model(model)
        return problems

    def leave_out_retired(self) -> None:
        """Load no retired model. Call it before the models are started; battles of one can still be voted on."""
        retired = {model.name for model in self.configured if self.state(model) is ModelState.RETIRED}
        self.serving.models = {
            name: model for name, model in self.serving.models.items() if model.settings.name not in retired
        }

    def replaced(self, configured: Sequence[AnyModel]) -> dict[str, ServedModel]:
        """New endpoints, by name, of the models that other settings reach in another way.

        Raises `ConfigError` for settings that cannot be served, and nothing has changed.
        """
        replaced: dict[str, ServedModel] = {}
        for settings in configured:
            old = self._served(settings.name)
            if old is None and self.state(settings) is ModelState.ENABLED:
                served_model(settings)  # raises what `apply` would log
            elif old is not None and _endpoint_differs(old.settings, settings):
                replaced[settings.name] = served_model(settings, old.code)
        return replaced

    def use(self, configured: Sequence[AnyModel], replaced: Mapping[str, ServedModel]) -> None:
        """Serve the models of other settings; `replaced` is what `replaced()` returned. Then call `apply`."""
        former = {name: self._served(name) for name in replaced}
        for settings in configured:
            if (old := self._served(settings.name)) is not None and settings.name not in replaced:
                old.settings = settings
        self.serving.models = {
            key: replaced[model.settings.name] if former.get(model.settings.name) is model else model
            for key, model in self.serving.models.items()
        }
        self._former += [model for model in former.values() if model is not None]
        self.configured = tuple(configured)

    async def close_former(self) -> None:
        """Close the endpoints of earlier settings whose streams have ended."""
        ended = [model for model in self._former if not model.streams]
        self._former = [model for model in self._former if model.streams]
        await asyncio.gather(*(model.endpoint.close() for model in ended))

    async def close(self) -> None:
        for task in self._trials:
            task.cancel()
        await asyncio.gather(*self._trials, return_exceptions=True)
        await asyncio.gather(*(model.endpoint.close() for model in self._former))

    def try_suspended(self) -> None:
        """Try each suspended model whose time has come, in the background."""
        for model in self.suspended():
            if model.availability.seconds_to_trial <= 0 and not model.availability.trying:
                model.availability.trying = True
                task = asyncio.create_task(_try(model))
                self._trials.add(task)
                task.add_done_callback(self._trials.discard)

    def suspended(self) -> list[ServedModel]:
        """The models that this server draws no more until their endpoints answer again."""
        return [model for model in set(self.serving.models.values()) if model.availability.suspended]

    def _named(self, models: dict[str, ServedModel], settings: AnyModel) -> ServedModel | None:
        """The model of these settings, under its name or code; None while it needs no endpoint. Raises `ConfigError`."""
        control = self.control(settings.name)
        if settings.private and control.code is None:
            return None
        model = models.get(settings.name) or models.get(control.code or "")
        if model is None:
            if self.state(settings) is not ModelState.ENABLED:
                return None
            model = served_model(settings)
        model.code = control.code if control.private else None
        models[model.name] = model
        if control.code:
            models[control.code] = model  # battles of before its release
        return model

    def _served(self, name: str) -> ServedModel | None:
        return self.serving.models.get(name) or self.serving.models.get(self.control(name).code or "")

    def _is_private(self, settings: AnyModel) -> bool:
        control = self.control(settings.name)
        return control.private or (settings.private and control.code is None)


def _endpoint_differs(old: AnyModel, new: AnyModel) -> bool:
    """Whether two settings of one model reach it in different ways; weights, facts and prices do not matter."""
    own = type(new).model_fields.keys() - ModelSettings.model_fields.keys()
    return type(old) is not type(new) or any(getattr(old, key) != getattr(new, key) for key in own)


async def _try(model: ServedModel) -> None:
    """Request a short completion for the arena itself; the first text of it is enough."""
    failure: str | None = "the trial was cut off"
    try:
        async with asyncio.timeout(TRIAL_TIMEOUT):
            with typed_failures(model.name):
                async with aclosing(model.stream(TRIAL)) as stream:
                    await anext(stream, None)
        failure = None
    except EndpointError as error:
        failure = str(error)
    except TimeoutError:
        failure = f"no text within {TRIAL_TIMEOUT:g} s"
    finally:
        model.availability.record_trial(failure)
    if failure is None:
        log.info("%s answers again and returns to battles", model.name)
    else:
        log.warning(
            "%s still fails (%s) and is tried again in %.0f s",
            model.name,
            failure,
            model.availability.seconds_to_trial,
        )


def _today() -> date:
    return datetime.now(UTC).date()
