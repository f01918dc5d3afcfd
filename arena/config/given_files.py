"""Files that other people wrote, checked where they are opened: plain files, digests, and JSON that can be worked with."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

UNWRITABLE = re.compile("[\\x00\\ud800-\\udfff]")  # not representable in UTF-8 or PostgreSQL
LARGEST = 1 << 63  # beyond, a number of a JSON file fits in no column of a database


def plain_file(path: Path) -> Path:
    """The path itself. Raises `OSError` for a folder, and for a pipe or a device, whose reading may never end."""
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))
    return path


def digest(path: Path) -> str:
    """The SHA-256 (hex) of a plain file. Raises `OSError`."""
    with plain_file(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class BadLine(ValueError):
    """A line that is not JSON: its number in the text, from 1, and the reason."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"line {number}: {reason}")
        self.number, self.reason = number, reason


def json_lines(text: str) -> Iterator[tuple[int, Any]]:
    """The number and the value of each line of JSON that is not blank. Raises `BadLine`."""
    for number, line in enumerate(text.split("\n"), 1):  # other line separators may stand inside a string
        if not line.strip():
            continue
        try:
            value = json_value(line)
        except json.JSONDecodeError as problem:
            raise BadLine(number, problem.msg) from problem
        yield number, value


def json_value(text: str, *, strict: bool = False) -> Any:
    """The value of a JSON text. Raises `json.JSONDecodeError`, also for nesting and numbers that Python refuses.

    `strict` refuses what RFC 8259 does not have or a database does not hold as well: Infinity, NaN, numbers that
    overflow to them, integers beyond 64 bits, and a name twice in one object.
    """
    options: Any = (
        {"parse_constant": _refused, "parse_float": _finite, "parse_int": _whole, "object_pairs_hook": _once}
        if strict
        else {}
    )
    try:
        return json.loads(text, **options)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text, 0) from None
    except ValueError as problem:
        raise json.JSONDecodeError(_reason(problem), text, 0) from None


def _reason(problem: ValueError) -> str:
    return "an integer has too many digits" if "integer string conversion" in str(problem) else str(problem)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(name for name in names if names.count(name) > 1)[:40]!r} occurs twice")
    return value


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _finite(digits: str) -> float:
    if abs(value := float(digits)) == float("inf"):
        raise ValueError(f"the number {digits[:20]} is too large")
    return value


def _whole(digits: str) -> int:
    if not -LARGEST <= (value := int(digits)) < LARGEST:
        raise ValueError(f"the number {digits[:20]} is too large")
    return value
