"""Options of commands by which an operator changes a running arena: why, who, only a look, and where."""

from __future__ import annotations

import getpass
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate

import typer

from arena.cli.options import AsFormat, Config, DatabaseURL, Format
from arena.errors import ConfigError

LONGEST, LONGEST_NAME = 1_000, 120  # characters of a reason, and of who decides

By = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who decides, for the log; default: the user of this machine.")
]
Reason = Annotated[str, typer.Option("--reason", "--why", help="Reason, for the log.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")]


@dataclass(frozen=True)
class Act:
    """The options that each of these commands takes."""

    by: str | None
    dry_run: bool
    as_format: Format
    config: Path | None
    db: str | None

    @property
    def person(self) -> str:
        """Who decides. Raises `ConfigError`."""
        return person(self.by)


SHARED: dict[str, tuple[Any, object]] = {
    "by": (By, None),
    "dry_run": (DryRun, False),
    "as_format": (AsFormat, Format.TABLE),
    "config": (Config, None),
    "db": (DatabaseURL, None),
}


def operator_command(command: Callable[Concatenate[Act, ...], None]) -> Callable[..., None]:
    """A command with the options of `Act` after its own; it gets them as its first parameter."""

    @wraps(command)
    def called(**given: Any) -> None:
        act = Act(**{option.name: given.pop(option.name) for option in fields(Act)})
        command(act, **given)

    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in SHARED.items()
    ]
    parameters = [*(option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in own), *shared]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {option.name: option.annotation for option in parameters}
    return called


def printable(option: str, text: str, longest: int = LONGEST) -> str:
    """A text without spaces around it. Raises `ConfigError`."""
    if not text.strip() or not text.isprintable() or len(text) > longest:
        raise ConfigError(f"{option} is empty, too long or not printable. Give up to {longest:,} characters.")
    return text.strip()


def person(by: str | None) -> str:
    """Who decides: the name given, or that of the user of this machine."""
    return printable("--by", getpass.getuser() if by is None else by, LONGEST_NAME)
