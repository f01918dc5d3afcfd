"""The message for a mistake in the settings: the file or variable, the key, and what to do."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from arena.config.endpoints import AnyModel, FactSettings, PriceSettings
from arena.config.tables import (
    PREFIX,
    BattleSettings,
    DatabaseSettings,
    LedgerSettings,
    LimitSettings,
    SamplingSettings,
    Settings,
    TrustSettings,
    WebSettings,
)

HIDDEN = "a hidden text, which may be a key"


def explain(file: str, problem: ErrorDetails) -> str:
    """One line: the place, the problem, and what to do."""
    location = [part for part in problem["loc"] if part not in _endpoint_kinds()]
    file = _variable(location) or file
    key = _key(location)
    kind = problem["type"]
    if kind == "extra_forbidden":
        return f"{file}: {key}: unknown key. {_suggestion(location, problem['loc'])}"
    if kind == "missing":
        return f"{file}: {key}: is missing. Add a line `{location[-1]} = …`."
    if kind == "union_tag_not_found":
        return f"{file}: {key}.endpoint: is missing. Use one of: {', '.join(_endpoint_kinds())}."
    if kind == "union_tag_invalid":
        given = problem["ctx"]["tag"]
        return f"{file}: {key}.endpoint: {given!r} is unknown. Use one of: {', '.join(_endpoint_kinds())}."
    if kind == "tuple_type" and location == ["models"]:
        return f"{file}: models: is not a list. Write a table [[models]], in double brackets, for each model."
    message = problem["msg"].removeprefix("Value error, ")
    shown = HIDDEN if location[-1:] in (["api_key_env"], ["cookie_key_env"]) else _shown(problem["input"])
    return f"{file}: {key}: {message} (got {shown})"


def _variable(location: Sequence[str | int]) -> str | None:
    """The environment variable that holds this setting, if there is one; it overrides the file."""
    name = PREFIX + "__".join(map(str, location)).upper()
    return next((f"the environment variable {key}" for key in os.environ if key.upper() == name), None)


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
        return "A file is no place for a key: set an environment variable and name it in `api_key_env`."
    keys = _allowed_keys(full)
    near = difflib.get_close_matches(str(location[-1]), keys, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"The keys are: {', '.join(sorted(keys))}."


def _allowed_keys(full: Sequence[str | int]) -> list[str]:
    """The keys of the table that contains the unknown key."""
    tables: dict[str, type[BaseModel]] = {
        "database": DatabaseSettings,
        "web": WebSettings,
        "battles": BattleSettings,
        "limits": LimitSettings,
        "sampling": SamplingSettings,
        "ledger": LedgerSettings,
        "trust": TrustSettings,
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
