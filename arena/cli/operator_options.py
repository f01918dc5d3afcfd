"""Options of commands by which an operator changes a running arena: why, who, and only a look."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from arena.errors import ConfigError

LONGEST, LONGEST_NAME = 1_000, 120  # characters of a reason, and of who decides

By = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who decides, for the log; default: the user of this machine.")
]
Reason = Annotated[str, typer.Option("--reason", "--why", help="Reason, for the log.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")]


def printable(option: str, text: str, longest: int = LONGEST) -> str:
    """A text without spaces around it. Raises `ConfigError`."""
    if not text.strip() or not text.isprintable() or len(text) > longest:
        raise ConfigError(f"{option} is empty, too long or not printable. Give up to {longest:,} characters.")
    return text.strip()


def person(by: str | None) -> str:
    """Who decides: the name given, or that of the user of this machine."""
    return printable("--by", getpass.getuser() if by is None else by, LONGEST_NAME)
