"""The body of a chat completion for each model, from its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.config import AnyModel, OpenAISettings, Settings
from arena.errors import ConfigError
from arena.exchange.judged_set import Body


def request_bodies(settings: Settings, names: str | None) -> dict[str, Body]:
    """The request bodies of comma-separated models, or of all enabled ones; a model without settings has no options.

    Raises `ConfigError` without any model.
    """
    configured = {model.name: model for model in settings.models}
    wanted = [name.strip() for name in (names or "").split(",") if name.strip()]
    chosen = wanted or [name for name, model in configured.items() if model.enabled]
    if not chosen:
        raise ConfigError("There are no models. Give some with --models a,b, or add [[models]] to arena.toml.")
    return {name: _body(name, configured.get(name)) for name in chosen}


def _body(name: str, model: AnyModel | None) -> Body:
    def make(messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        if model is None:
            return {"model": name, "messages": list(messages)}
        system = [{"role": "system", "content": model.system_prompt}] if model.system_prompt else []
        there = model.model if isinstance(model, OpenAISettings) and model.model else name
        asked: dict[str, Any] = {"model": there, "messages": [*system, *messages], "max_tokens": model.max_tokens}
        return asked | model.parameters | ({"stop": list(model.stop)} if model.stop else {})

    return make
