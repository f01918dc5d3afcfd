"""Settings from `arena.toml`, `ARENA_*` variables and the command line; a later source overrides an earlier one."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from arena.config.error_messages import explain
from arena.config.given_files import plain_file
from arena.config.tables import PREFIX, Settings
from arena.errors import ConfigError

DEFAULT_FILE = Path("arena.toml")


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
        raise ConfigError("\n".join(explain(where, problem) for problem in error.errors())) from error
    except SettingsError as error:
        raise ConfigError(
            f"{_not_json()}: is not valid JSON. Set one setting at a time, such as ARENA_WEB__PORT."
        ) from error


def _check_variables() -> None:
    """Raises `ConfigError` for a variable with a misspelt table, which pydantic-settings would ignore."""
    tables = [name for name in Settings.model_fields if name != "database_url"]
    for variable in os.environ:
        table, nested, _ = variable.upper().removeprefix(PREFIX).partition("__")
        if variable.upper().startswith(PREFIX) and nested and table.lower() not in tables:
            near = difflib.get_close_matches(table.lower(), tables, n=1)
            advice = (
                f"Did you mean {PREFIX}{near[0].upper()}__…?" if near else f"The tables are: {', '.join(tables)}."
            )
            raise ConfigError(f"the environment variable {variable}: unknown table. {advice}")


def _not_json() -> str:
    """The names of the variables that hold a whole table or all models as JSON."""
    whole = {f"{PREFIX}{name}".upper() for name in Settings.model_fields if name != "database_url"}
    return "the environment variable " + " or ".join(name for name in os.environ if name.upper() in whole)


def api_key(variable: str | None) -> str | None:
    """The key in an environment variable. Raises `ConfigError` if it is not set or is not a valid key."""
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ConfigError(f"the environment variable {variable} is not set. Run: export {variable}=…")
    if not (key.isascii() and key.isprintable()):  # an HTTP header takes nothing else
        raise ConfigError(
            f"the environment variable {variable} holds a line break or a character that no key has. Set it again."
        )
    return key


def _overridden(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    """The settings with the options of the command line, which Typer has validated, on top."""
    for key, value in overrides.items():
        table, _, name = key.rpartition(".")
        if table:
            name, value = table, getattr(settings, table).model_copy(update={name: value})
        settings = settings.model_copy(update={name: value})
    return settings


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(plain_file(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such file. Give a TOML file with --config.") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}). Check its permissions.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: is not valid TOML: {error}. Correct the line.") from error
