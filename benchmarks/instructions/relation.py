"""The comparison of counted instructions: at least N, or fewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.errors import BadData

Arguments = Mapping[str, Any]


def argument(arguments: Arguments, name: str) -> Any:
    """`arguments[name]`, which an instruction cannot be checked without."""
    if arguments.get(name) is None:
        raise BadData(f"The instruction has no argument {name!r}; it has {sorted(arguments)}. Add the argument.")
    return arguments[name]


def holds(count: int, arguments: Arguments, relation: str, wanted: str) -> bool:
    """Whether `count` is `less than` or `at least` the number under `wanted`."""
    kind, number = argument(arguments, relation), argument(arguments, wanted)
    if kind == "less than":
        return count < int(number)
    if kind == "at least":
        return count >= int(number)
    raise BadData(f"Relation {kind!r} is unknown. Use 'less than' or 'at least'.")
