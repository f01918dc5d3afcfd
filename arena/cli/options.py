"""Options that several commands share."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; arena.toml in this folder if there is one.")
]
DatabaseURL = Annotated[
    str | None, typer.Option("--db", help="Database URL, for example sqlite:///arena.db.", show_default=False)
]


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


AsFormat = Annotated[Format, typer.Option("--format", help="How to print the result.")]


def write_json(value: Any) -> None:
    """A result as JSON on standard output, alone there."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def overrides(**given: Any) -> dict[str, Any]:
    """The options that were given, as settings: `web__port=1` becomes `{"web.port": 1}`."""
    return {name.replace("__", "."): value for name, value in given.items() if value is not None}
