"""A prompt set as batches of requests for an OpenAI-compatible service, one file per model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.config import AnyModel, OpenAISettings, Settings
from arena.endpoints.parameters import with_parameters
from arena.errors import ConfigError
from arena.exchange.files import write_rows
from arena.exchange.prompt_set import Body, JudgedSet, Written, file_name


def write_openai_batch(folder: Path, judged: JudgedSet, bodies: Mapping[str, Body], written: Written) -> None:
    prompts = {key: prompt for key, prompt in judged.prompts.items() if prompt.turns == 1}
    written.skip(
        len(judged.prompts) - len(prompts), "a batch has one call for each prompt, and these have several turns"
    )
    for model, body in bodies.items():
        write_rows(
            folder / f"{file_name(model)}.jsonl",
            (
                {
                    "custom_id": key,
                    "method": "POST",
                    "url": "/v1/chat/completions",
                    "body": body([dict(message) for message in prompt.messages]),
                }
                for key, prompt in prompts.items()
            ),
        )
    written.prompts = len(prompts)


def request_bodies(settings: Settings, names: str | None) -> dict[str, Body]:
    """The request bodies of comma-separated models, or of all enabled ones; a model without settings has no options.

    Raises `ConfigError` without any model.
    """
    configured = {model.name: model for model in settings.models}
    given = [name.strip() for name in (names or "").split(",") if name.strip()]
    chosen = given or [name for name, model in configured.items() if model.enabled]
    if not chosen:
        raise ConfigError("There are no models. Give some with --models a,b, or add [[models]] to arena.toml.")
    return {name: _body(name, configured.get(name)) for name in chosen}


def _body(name: str, model: AnyModel | None) -> Body:
    """The function that builds the request body of a model from its settings."""

    def make(messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        if model is None:
            return {"model": name, "messages": list(messages)}
        system = [{"role": "system", "content": model.system_prompt}] if model.system_prompt else []
        served_name = model.model if isinstance(model, OpenAISettings) and model.model else name
        body = {
            "model": served_name,
            "messages": [*system, *messages],
            "max_tokens": model.max_tokens,
        }
        return with_parameters(body, model.parameters) | ({"stop": list(model.stop)} if model.stop else {})

    return make
