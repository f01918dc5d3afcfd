"""Settings from `arena.toml`, `ARENA_*` variables and the command line, the later over the earlier.

Every mistake becomes a `ConfigError` that names the file, the key and the cure.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from arena.errors import ConfigError

DEFAULT_FILE = Path("arena.toml")
DEFAULT_DATABASE = "sqlite:///arena.db"
PREFIX = "ARENA_"  # of environment variables
HIDDEN = "a text that is not shown, for it may be a key"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PriceSettings(Strict):
    """USD per million tokens."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


SIZES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


class FactSettings(Strict):
    """What readers are told about a model; nothing here changes how it is asked."""

    organisation: str | None = Field(default=None, max_length=120)
    licence: str | None = Field(
        default=None, max_length=120, description="as a short name: Apache-2.0, proprietary"
    )
    parameters: float | None = Field(default=None, gt=0, description='a number, or short: "135M", "8B"')
    context: int | None = Field(default=None, ge=1, description="tokens")
    energy: float | None = Field(default=None, gt=0, description="watt-hours for 1000 tokens of completion")
    variants_tested: int | None = Field(
        default=None, ge=0, description="variants tested here privately before this one was listed"
    )
    listed: date | None = Field(default=None, description="when it came onto the public board")
    retired: date | None = Field(default=None, description="when it left the battles")
    released: date | None = Field(default=None, description="YYYY-MM-DD")
    url: str | None = Field(default=None, description="a page about the model")

    @field_validator("parameters", mode="before")
    @classmethod
    def parameters_are_a_number(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        number, unit = given.strip()[:-1], given.strip()[-1:].upper()
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
    """What every model has, however it is reached; a judge is a model with `enabled = false`."""

    name: str = Field(min_length=1, max_length=120)
    enabled: bool = True
    weight: float = Field(default=1.0, ge=0, description="how often it is drawn, relative to the others")
    system_prompt: str | None = None
    max_tokens: int = Field(default=512, ge=1)
    stop: tuple[str, ...] = ()
    parameters: dict[str, Any] = Field(default_factory=dict, description="more of the request body")
    aliases: tuple[str, ...] = Field(default=(), description="other names that would give it away")
    concurrency: int = Field(default=8, ge=1, le=10_000, description="calls at once in batches")
    requests_per_minute: float | None = Field(default=None, gt=0, description="in batches")
    tokens_per_minute: float | None = Field(default=None, gt=0, description="in batches")
    price: PriceSettings | None = Field(default=None, description="USD per million tokens")
    facts: FactSettings = FactSettings()

    @field_validator("name")
    @classmethod
    def name_is_printable(cls, name: str) -> str:
        if name != name.strip() or not name.isprintable():
            raise ValueError("has spaces around it or characters that cannot be printed")
        return name

    @field_validator("weight")
    @classmethod
    def weight_is_finite(cls, weight: float) -> float:
        if not math.isfinite(weight):
            raise ValueError("must be a finite number")
        return weight


class OpenAISettings(ModelSettings):
    """A model behind any OpenAI-compatible server."""

    endpoint: Literal["openai"]
    url: str = Field(description="base URL, with /v1 where the server has it")
    model: str | None = Field(default=None, description="its name at the server; the arena's name if missing")
    api_key_env: str | None = Field(default=None, description="environment variable that holds the key")
    connect_timeout: float = Field(default=10.0, gt=0, description="seconds")
    read_timeout: float = Field(default=60.0, gt=0, description="seconds between two pieces of a reply")
    retries: int = Field(default=2, ge=0, le=10, description="before the first token only")

    @field_validator("url")
    @classmethod
    def url_is_http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        if not _is_address(url):
            raise ValueError("is no address such as http://127.0.0.1:8000/v1")
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
    chat_template: str | None = Field(default=None, description="Jinja text over the model's own template")
    threads: int = Field(default=1, ge=1)
    context: int = Field(default=8192, ge=256, description="tokens, shared by the conversations")
    parallel: int = Field(default=4, ge=1, description="conversations at once")

    @model_validator(mode="after")
    def one_source(self) -> LlamaCppSettings:
        if (self.path is None) == (self.weights is None):
            raise ValueError("needs exactly one of path (a GGUF file) and weights (a name)")
        return self


class TransformersSettings(ModelSettings):
    """A causal language model in process through transformers (extra `local`)."""

    endpoint: Literal["transformers"]
    source: str = Field(description="a directory, a GGUF file or a hub id")
    revision: str | None = None
    dtype: str = "auto"
    device: str | None = None
    threads: int = Field(default=1, ge=1)
    max_batch: int = Field(default=8, ge=1)
    chat_template: str | None = None


class VllmSettings(ModelSettings):
    """vLLM in process, for batches (extra `vllm`); a page is served by vLLM's own server and `openai`."""

    endpoint: Literal["vllm"]
    source: str = Field(description="a directory or a hub id")
    revision: str | None = None
    dtype: str = "auto"
    max_batch: int = Field(default=256, ge=1, description="requests given to vLLM at once")
    chat_template: str | None = None
    options: dict[str, Any] = Field(default_factory=dict, description="for vLLM's LLM, as they are")


class RewardSettings(ModelSettings):
    """A reward model through transformers (extra `local`): a judge, never in a battle."""

    endpoint: Literal["reward"]
    enabled: bool = Field(default=False, description="a reward model writes nothing, so it cannot be drawn")
    source: str = Field(description="a directory or a hub id")
    revision: str | None = None
    dtype: str = "auto"
    device: str | None = None
    threads: int = Field(default=1, ge=1)
    max_batch: int = Field(default=8, ge=1)
    chat_template: str | None = None

    @field_validator("enabled")
    @classmethod
    def never_drawn(cls, enabled: bool) -> bool:
        if enabled:
            raise ValueError("a reward model writes nothing; leave `enabled` out and name it with --judge")
        return enabled


class ScriptedSettings(ModelSettings):
    """The shipped fake, for tests and a first look."""

    endpoint: Literal["scripted"]
    replies: tuple[str, ...] = ()
    style: Literal["plain", "lists"] = "plain"
    delay: float = Field(default=0.02, ge=0, description="seconds between words")
    fault: Literal["before_first_token", "midway", "silent"] | None = None


AnyModel = Annotated[
    OpenAISettings | LlamaCppSettings | TransformersSettings | VllmSettings | RewardSettings | ScriptedSettings,
    Field(discriminator="endpoint"),
]


class WebSettings(Strict):
    show_judged: bool = Field(default=True, description="readers may open battles over prompt sets")
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535, description="0 takes a free one")
    title: str = "Arena"
    secure_cookies: bool = Field(default=False, description="set it when the page is served over https")
    explain: bool = Field(default=True, description="visitors may start explanations by models with weights here")


class BattleSettings(Strict):
    max_prompt_characters: int = Field(default=20_000, ge=1)
    max_turns: int = Field(default=10, ge=1)
    first_token_timeout: float = Field(default=60.0, gt=0, description="seconds")
    turn_timeout: float = Field(default=300.0, gt=0, description="seconds for both completions of a turn")
    abandon_after_hours: float = Field(default=24.0, gt=0, description="an open battle nobody votes on")
    running_at_once: int = Field(default=64, ge=1, description="turns the whole arena may have running at once")
    running_per_voter: int = Field(default=4, ge=1, description="turns one voter may have running at once")


class LedgerSettings(Strict):
    seal_every: float = Field(default=3600.0, ge=0, description="seconds between seals while serving; 0 is never")
    filter: str = Field(default="every-1", description="which votes count on sealed boards")


class Settings(BaseSettings):
    """Everything the application can be told."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    database_url: str = DEFAULT_DATABASE
    web: WebSettings = WebSettings()
    battles: BattleSettings = BattleSettings()
    ledger: LedgerSettings = LedgerSettings()
    models: tuple[AnyModel, ...] = ()

    @field_validator("models")
    @classmethod
    def names_differ(cls, models: tuple[ModelSettings, ...]) -> tuple[ModelSettings, ...]:
        seen: set[str] = set()
        for model in models:
            if model.name.casefold() in seen:
                raise ValueError(f"two models are called {model.name!r}; give each its own name")
            seen.add(model.name.casefold())
        return models

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes over the file; both sources are made in `read_settings`."""
        return (env_settings, init_settings)


def read_settings(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from `file` (or `arena.toml` here, if there is one), the environment, then `overrides`.

    Raises `ConfigError`.
    """
    if file is None and DEFAULT_FILE.exists():
        file = DEFAULT_FILE
    content = _read_toml(file) if file else {}
    where = str(file) if file else "settings"
    _check_variables()
    try:
        settings = Settings(**content)
        return _overridden(settings, overrides) if overrides else settings
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(where, problem) for problem in error.errors())) from error
    except SettingsError as error:
        raise ConfigError(
            f"{_not_json()}: is not valid JSON; name one setting, such as ARENA_WEB__PORT"
        ) from error


def _check_variables() -> None:
    """A misspelt table in a variable's name would be passed over without a word."""
    tables = [name for name in Settings.model_fields if name != "database_url"]
    for variable in os.environ:
        table, nested, _ = variable.upper().removeprefix(PREFIX).partition("__")
        if variable.upper().startswith(PREFIX) and nested and table.lower() not in tables:
            near = difflib.get_close_matches(table.lower(), tables, n=1)
            known = f"did you mean {PREFIX}{near[0].upper()}__…?" if near else f"tables: {', '.join(tables)}"
            raise ConfigError(f"the environment variable {variable}: unknown table; {known}")


def _not_json() -> str:
    """The variables that hold a whole table, or all models, which is written as JSON."""
    whole = {f"{PREFIX}{name}".upper() for name in Settings.model_fields if name != "database_url"}
    return "the environment variable " + " or ".join(name for name in os.environ if name.upper() in whole)


def api_key(variable: str | None) -> str | None:
    """The key in an environment variable. Raises `ConfigError` when it is not set, or can be none."""
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ConfigError(f"the environment variable {variable} is not set; type: export {variable}=…")
    if not (key.isascii() and key.isprintable()):  # an HTTP header takes nothing else
        raise ConfigError(
            f"the environment variable {variable} holds a line break or a letter that no key has; set it again"
        )
    return key


def _overridden(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    """The command line's word is the last one; Typer has checked its values."""
    for key, value in overrides.items():
        table, _, name = key.rpartition(".")
        if table:
            name, value = table, getattr(settings, table).model_copy(update={name: value})
        settings = settings.model_copy(update={name: value})
    return settings


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such file; `arena serve --config FILE` takes a TOML file") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); check its permissions") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: is not valid TOML: {error}") from error


def _explain(file: str, problem: ErrorDetails) -> str:
    """One line: where, what, and what to do."""
    location = [part for part in problem["loc"] if part not in _endpoint_kinds()]
    file = _variable(location) or file
    key = _key(location)
    kind = problem["type"]
    if kind == "extra_forbidden":
        return f"{file}: {key}: unknown key; {_suggestion(location, problem['loc'])}"
    if kind == "missing":
        return f"{file}: {key}: is missing; add a line `{location[-1]} = …`"
    if kind == "union_tag_not_found":
        return f"{file}: {key}.endpoint: is missing; use one of {', '.join(_endpoint_kinds())}"
    if kind == "union_tag_invalid":
        given = problem["ctx"]["tag"]
        return f"{file}: {key}.endpoint: {given!r} is unknown; use one of {', '.join(_endpoint_kinds())}"
    if kind == "tuple_type" and location == ["models"]:
        return f"{file}: models: is no list; write a table [[models]], in double brackets, for each model"
    message = problem["msg"].removeprefix("Value error, ")
    shown = HIDDEN if location[-1:] == ["api_key_env"] else _shown(problem["input"])
    return f"{file}: {key}: {message} (got {shown})"


def _variable(location: Sequence[str | int]) -> str | None:
    """The environment variable that says this setting, if there is one: it goes over the file."""
    name = PREFIX + "__".join(map(str, location)).upper()
    return next((f"the environment variable {one}" for one in os.environ if one.upper() == name), None)


def _shown(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return f"{len(value)} entries"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _key(location: Sequence[str | int]) -> str:
    key = ""
    for part in location:
        key += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return key or "file"


def _endpoint_kinds() -> list[str]:
    return [str(get_args(kind.model_fields["endpoint"].annotation)[0]) for kind in get_args(get_args(AnyModel)[0])]


def _suggestion(location: Sequence[str | int], full: Sequence[str | int]) -> str:
    if location[-1] == "api_key":
        return "a key does not belong in a file: set an environment variable and name it in `api_key_env`"
    known = _known_keys(full)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"


def _known_keys(full: Sequence[str | int]) -> list[str]:
    """The keys allowed in the table in which the unknown one stands."""
    tables: dict[str, type[BaseModel]] = {
        "web": WebSettings,
        "battles": BattleSettings,
        "ledger": LedgerSettings,
    }
    if full[0] == "models":
        kinds: dict[str, type[BaseModel]] = {
            str(get_args(kind.model_fields["endpoint"].annotation)[0]): kind
            for kind in get_args(get_args(AnyModel)[0])
        }
        inside: dict[str, type[BaseModel]] = {"facts": FactSettings, "price": PriceSettings}
        kind = inside.get(str(full[3]), kinds[str(full[2])]) if len(full) > 4 else kinds[str(full[2])]
        return list(kind.model_fields)
    table = tables.get(str(full[0])) if len(full) > 1 else None
    return list((table or Settings).model_fields)
