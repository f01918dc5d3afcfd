"""Records of a prompt file that is a JSON list, JSON lines, or CSV, each with its place in the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arena.config.given_files import BadLine, json_lines, json_value, plain_file
from arena.errors import InputError
from arena.rules.csv_table import cell_text

Record = Mapping[str, Any]


class BadPromptFile(InputError):
    """A file without readable prompts; the message names the line and the remedy."""


def file_text(path: Path) -> str:
    """The text of a UTF-8 file. Raises `BadPromptFile`."""
    try:
        return plain_file(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadPromptFile(f"{path}: no such file. Run `arena prompts list` for the built-in sets.") from None
    except OSError as error:
        raise BadPromptFile(
            f"{path}: cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise BadPromptFile(f"{path}: not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


def records(text: str, where: str) -> Iterator[tuple[str, Record]]:
    """Each record with its place in the file. Raises `BadPromptFile`."""
    start = text.lstrip()[:1]
    if start == "[":
        yield from _entries(text, where)
    elif start == "{":
        yield from _lines(text, where)
    else:
        rows = csv.DictReader(io.StringIO(text))
        for number, row in enumerate(rows, 2):
            yield (
                f"{where}:{number}",
                {cell_text(name): cell_text(value) for name, value in row.items() if name and value},
            )


def _entries(text: str, where: str) -> Iterator[tuple[str, Record]]:
    try:
        entries = json_value(text)
    except json.JSONDecodeError as problem:
        raise _not_json(f"{where}:{problem.lineno}", problem.msg) from problem
    for number, entry in enumerate(entries, 1):
        yield f"{where}: entry {number}", _object(entry, f"{where}: entry {number}")


def _lines(text: str, where: str) -> Iterator[tuple[str, Record]]:
    try:
        for number, entry in json_lines(text):
            yield f"{where}:{number}", _object(entry, f"{where}:{number}")
    except BadLine as problem:
        raise _not_json(f"{where}:{problem.number}", problem.reason) from problem


def _not_json(place: str, reason: str) -> BadPromptFile:
    return BadPromptFile(f"{place}: not valid JSON ({reason}). Correct it, or check that the file is complete.")


def _object(entry: object, place: str) -> Record:
    if not isinstance(entry, dict):
        raise BadPromptFile(f"{place}: {str(entry)[:40]!r} is not an object. Expected an object with a prompt.")
    return entry
