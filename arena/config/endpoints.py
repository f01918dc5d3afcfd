"""The tables `[[models]]`: the keys of every model, and one class for each kind of endpoint."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PriceSettings(Strict):
    """USD per million tokens."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


Api = Annotated[
    Literal["chat", "completions"],
    Field(description="`completions`: the text of one message is continued as it is, for base models"),
]
PRIVATE = "private:"  # begins the code of a private model, as arena/rules/model_states.py has it
SIZES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


class FactSettings(Strict):
    """The facts about a model on the leaderboard and its page; none of them changes a request."""

    organisation: str | None = Field(default=None, max_length=120)
    licence: str | None = Field(
        default=None, max_length=120, description="as a short name: Apache-2.0, proprietary"
    )
    parameters: float | None = Field(default=None, gt=0, description='a number, or short: "135M", "8B"')
    context: int | None = Field(default=None, ge=1, description="tokens; the smallest limits all conversations")
    energy: float | None = Field(default=None, gt=0, description="watt-hours for 1000 tokens of completion")
    variants_tested: int | None = Field(
        default=None, ge=0, description="variants tested here privately before this one was listed"
    )
    listed: date | None = Field(default=None, description="when it came onto the public board")
    retired: date | None = Field(default=None, description="when it left the battles")
    retired_reason: str | None = Field(default=None, max_length=1000, description="why it left the battles")
    released: date | None = Field(default=None, description="YYYY-MM-DD")
    url: str | None = Field(default=None, description="a page about the model")

    @field_validator("parameters", mode="before")
    @classmethod
    def parameters_are_a_number(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        number, unit = value.strip()[:-1], value.strip()[-1:].upper()
        try:
            return float(number) * SIZES[unit]
        except (KeyError, ValueError):
            raise ValueError('must be a number of parameters, such as 135000000, "135M" or "8B"') from None

    @field_validator("url")
    @classmethod
    def url_is_http(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url


class ModelSettings(Strict):
    """The keys of every model; a judge is a model with `enabled = false`."""

    passes_images: ClassVar[bool] = False  # this kind of endpoint
    name: str = Field(min_length=1, max_length=120)
    enabled: bool = True
    weight: float = Field(default=1.0, ge=0, description="how often it is drawn, relative to the others")
    system_prompt: str | None = None
    max_tokens: int = Field(default=512, ge=1)
    stop: tuple[str, ...] = ()
    parameters: dict[str, Any] = Field(default_factory=dict, description="further fields of the request body")
    aliases: tuple[str, ...] = Field(default=(), description="other names that identify it")
    concurrency: int = Field(default=8, ge=1, le=10_000, description="calls at once in batches")
    requests_per_minute: float | None = Field(default=None, gt=0, description="in batches")
    tokens_per_minute: float | None = Field(default=None, gt=0, description="in batches")
    price: PriceSettings | None = Field(default=None, description="USD per million tokens")
    private: bool = Field(
        default=False, description="true: in battles under a code, and on no page and board until it is released"
    )
    images: bool = Field(default=False, description="true: it reads images (OpenAI's image_url parts)")
    facts: FactSettings = FactSettings()

    @field_validator("name")
    @classmethod
    def name_is_printable(cls, name: str) -> str:
        if name != name.strip() or not name.isprintable():
            raise ValueError("has spaces around it or characters that cannot be printed")
        if name.startswith(PRIVATE):
            raise ValueError("begins as the code of a private model does. Set private = true, and give it a name")
        return name

    @model_validator(mode="after")
    def endpoint_passes_images(self) -> ModelSettings:
        if self.images and not self.passes_images:
            raise ValueError(
                "images must be false for this kind of endpoint, which passes text only. "
                'Serve the model with a server that reads images, and use endpoint = "openai"'
            )
        return self

    @model_validator(mode="after")
    def texts_have_no_roles(self) -> ModelSettings:
        """What only a chat has is refused where the model continues texts."""
        for name in ("system_prompt", "chat_template", "images"):
            if getattr(self, "api", None) == "completions" and getattr(self, name, None):
                raise ValueError(
                    f'{name} must be removed: with api = "completions" the model continues a text as it is'
                )
        return self

    @field_validator("weight")
    @classmethod
    def weight_is_finite(cls, weight: float) -> float:
        if not math.isfinite(weight):
            raise ValueError("must be a finite number")
        return weight


class OpenAISettings(ModelSettings):
    """A model behind any OpenAI-compatible server."""

    passes_images: ClassVar[bool] = True
    endpoint: Literal["openai"]
    url: str = Field(description="base URL, with /v1 where the server has it")
    model: str | None = Field(default=None, description="its name at the server; the arena's name if missing")
    api_key_env: str | None = Field(default=None, description="environment variable that holds the key")
    connect_timeout: float = Field(default=10.0, gt=0, description="seconds")
    read_timeout: float = Field(default=60.0, gt=0, description="seconds between two pieces of a reply")
    retries: int = Field(default=2, ge=0, le=10, description="of calls that are refused before any answer")
    api: Api = "chat"

    @field_validator("url")
    @classmethod
    def url_is_http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        if not _is_address(url):
            raise ValueError("must be an address such as http://127.0.0.1:8000/v1")
        return url.rstrip("/")

    @field_validator("api_key_env")
    @classmethod
    def key_is_a_variable(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(
                "must be the name of an environment variable that holds the key, such as EXAMPLE_API_KEY"
            )
        return name


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


class LlamaCppSettings(ModelSettings):
    """A GGUF file served by llama.cpp's prebuilt library (extra `demo`)."""

    endpoint: Literal["llama_cpp"]
    path: Path | None = Field(default=None, description="a GGUF file")
    weights: str | None = Field(default=None, description="known weights that Arena fetches by name")
    chat_template: str | None = Field(default=None, description="Jinja text in place of the model's own template")
    threads: int | None = Field(
        default=None, ge=1, description="by default 1 for calls, and every core for benchmarks and explanations"
    )
    context: int = Field(default=8192, ge=256, description="tokens, shared by the conversations")
    parallel: int = Field(default=4, ge=1, description="conversations at once")
    api: Api = "chat"

    @model_validator(mode="after")
    def one_source(self) -> LlamaCppSettings:
        if (self.path is None) == (self.weights is None):
            raise ValueError("needs exactly one of path (a GGUF file) and weights (a name)")
        return self


class WeightsSettings(ModelSettings):
    """The keys of every model that transformers runs in this process."""

    revision: str | None = None
    dtype: str = "auto"
    device: str | None = None
    threads: int | None = Field(
        default=None, ge=1, description="by default 1 for calls, and every core for an explanation"
    )
    max_batch: int | None = Field(
        default=None,
        ge=1,
        description="completions at once: by default 8 on a CPU, and on a GPU what its memory allows",
    )
    chat_template: str | None = None


class TransformersSettings(WeightsSettings):
    """A causal language model in process through transformers (extra `local`)."""

    endpoint: Literal["transformers"]
    source: str = Field(description="a directory, a GGUF file or a hub id")
    api: Api = "chat"


class VllmSettings(ModelSettings):
    """vLLM in this process, for batches (extra `vllm`); for a page use vLLM's own server with `openai`."""

    passes_images: ClassVar[bool] = True
    endpoint: Literal["vllm"]
    source: str = Field(description="a directory or a hub id")
    revision: str | None = None
    dtype: str = "auto"
    max_batch: int = Field(default=256, ge=1, description="the most requests in one call of vLLM")
    chat_template: str | None = None
    options: dict[str, Any] = Field(default_factory=dict, description="passed to vLLM's LLM unchanged")


class RewardSettings(WeightsSettings):
    """A reward model through transformers (extra `local`): only a judge, never in a battle."""

    endpoint: Literal["reward"]
    enabled: bool = Field(
        default=False, description="false: a reward model writes no text, so it cannot be in a battle"
    )
    source: str = Field(description="a directory or a hub id")

    @field_validator("enabled")
    @classmethod
    def never_drawn(cls, enabled: bool) -> bool:
        if enabled:
            raise ValueError("must be false for a reward model, which writes no text. Name it with --judge")
        return enabled


class ScriptedToolCall(Strict):
    """A reply of the shipped fake that calls a tool."""

    tool: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)


class ScriptedSettings(ModelSettings):
    """The shipped fake, for tests and a first look."""

    passes_images: ClassVar[bool] = True
    endpoint: Literal["scripted"]
    replies: tuple[str | ScriptedToolCall, ...] = ()
    style: Literal["plain", "lists"] = "plain"
    delay: float = Field(default=0.02, ge=0, description="seconds between words")
    fault: Literal["before_first_token", "midway", "silent"] | None = None


AnyModel = Annotated[
    OpenAISettings | LlamaCppSettings | TransformersSettings | VllmSettings | RewardSettings | ScriptedSettings,
    Field(discriminator="endpoint"),
]
