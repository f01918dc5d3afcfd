"""The one comparison that counted instructions know: at least so many, or fewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.errors import BadData

Arguments = Mapping[str, Any]


def argument(arguments: Arguments, name: str) -> Any:
    """`arguments[name]`, which an instruction cannot be checked without."""
    if arguments.get(name) is None:
        raise BadData(f"an instruction needs the argument {name!r}; it has {sorted(arguments)}")
    return arguments[name]


def holds(count: int, arguments: Arguments, relation: str, wanted: str) -> bool:
    """Whether `count` is `less than` or `at least` the number under `wanted`."""
    kind, number = argument(arguments, relation), argument(arguments, wanted)
    if kind == "less than":
        return count < int(number)
    if kind == "at least":
        return count >= int(number)
    raise BadData(f"relation {kind!r}; expected 'less than' or 'at least'")
