"""Options that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.rules.csv_table import csv_table

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.store import Database

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; arena.toml in this folder if there is one.")
]
DatabaseURL = Annotated[
    str | None, typer.Option("--db", help="Database URL, for example sqlite:///arena.db.", show_default=False)
]
CategoriesFile = Annotated[
    Path | None,
    typer.Option(
        "--categories",
        metavar="FILE",
        help="YAML file that names groups of categories, such as evalscope's category_mapping.yaml.",
    ),
]


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


AsFormat = Annotated[Format, typer.Option("--format", help="How to print the result.")]


def write_json(value: Any) -> None:
    """A result as JSON on standard output, alone there."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def for_programs(
    result: Mapping[str, Any], as_format: Format, rows: Sequence[Mapping[str, Any]] | None = None
) -> bool:
    """Print a result as JSON, or as CSV of `rows`; one row if they are left out. False for a table."""
    if as_format is Format.JSON:
        write_json(result)
    elif as_format is Format.CSV:
        write_csv([_flat(result)] if rows is None else rows)
    return as_format is not Format.TABLE


def _flat(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result with one value a column: counts by kind as their sum, names with commas between them."""
    return {name: _cell(value) for name, value in result.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return sum(value.values())
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def overrides(**given: Any) -> dict[str, Any]:
    """The options that were given, as settings: `web__port=1` becomes `{"web.port": 1}`."""
    return {name.replace("__", "."): value for name, value in given.items() if value is not None}


def write_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write a result as CSV on standard output, with the given columns or those of the rows."""
    sys.stdout.write(csv_table(rows, columns))


@contextmanager
def opened(config: Path | None, db: str | None, *, create: bool = False) -> Iterator[tuple[Database, Settings]]:
    """The database that the options name, ready to use, with the settings; a new one only if `create`.

    Raises `ConfigError`, `DatabaseError`.
    """
    from arena.config import read_settings
    from arena.store import open_database

    settings = read_settings(config, overrides(database_url=db))
    with open_database(settings.database_url, create=create) as database:
        yield database, settings
