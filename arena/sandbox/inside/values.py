"""Values that cross between a solution and its tests, as JSON lines: plain data, which runs no code when it is read.

A list, tuple, set, dict or number of a subclass arrives as the plain type. An object of any other class stays where it
is; the other side holds its number. Each run imports this file: it needs nothing that takes long to import.
"""

from __future__ import annotations

import os
import sys
from _json import encode_basestring_ascii
from itertools import islice

TYPE_CHECKING = False  # without typing, whose import takes longer than the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST = 1_000_000  # elements of an iterator that are read
PLAIN = (bool, int, float, str)  # in this order: a bool is an int
COLLECTIONS: dict[str, Any] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
MADE: dict[str, Callable[..., Any]] = {
    "bytes": bytes.fromhex, "bytearray": bytearray.fromhex, "complex": complex, "range": range,
}  # fmt: skip
LOADED = {"deque": "collections", "Decimal": "decimal", "Fraction": "fractions"}  # the modules of further classes
MODULE = type(sys)
VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
REFERENCE = "object"


class Ended(Exception):
    """The other side closed the channel."""


def encode(value: Any, refer: Callable[[Any], int]) -> Any:
    """The value as JSON; `refer` gives the number of an object that stays here."""
    if value is None:
        return None
    for plain in PLAIN:
        if isinstance(value, plain):
            return value if type(value) is plain else plain(value)
    if isinstance(value, dict):
        return ["dict", [[encode(key, refer), encode(item, refer)] for key, item in value.items()]]
    for name, kind in COLLECTIONS.items():
        if isinstance(value, kind):
            return [name, [encode(item, refer) for item in value]]
    if hasattr(type(value), "__next__") or isinstance(value, VIEWS):
        return ["iterator", [encode(item, refer) for item in islice(value, MOST)]]
    if isinstance(value, MODULE) and value.__name__ in sys.stdlib_module_names:
        return ["module", value.__name__]
    return _scalar(value) or _loaded(value, refer) or [REFERENCE, refer(value)]


def _loaded(value: Any, refer: Callable[[Any], int]) -> list[Any] | None:
    """An object of one of the classes of `LOADED`, with what makes it again; None for anything else."""
    name = type(value).__name__
    if name not in LOADED or type(value) is not getattr(sys.modules.get(LOADED[name]), name, None):
        return None
    return [name, encode(list(value), refer) if name == "deque" else str(value)]


def _scalar(value: Any) -> list[Any] | None:
    """A number or range that JSON lacks, with the arguments that make it again; None for anything else."""
    if isinstance(value, bytes | bytearray):
        return [type(value).__name__, value.hex()]
    if isinstance(value, complex):
        return ["complex", value.real, value.imag]
    if isinstance(value, range):
        return ["range", value.start, value.stop, value.step]
    return None


def decode(value: Any, referred: Callable[[int], Any]) -> Any:
    """The value of JSON; `referred` gives the object of a number. Raises ValueError for anything else."""
    if value is None or isinstance(value, PLAIN):
        return value
    kind, *given = value
    if kind == "dict":
        return {decode(key, referred): decode(item, referred) for key, item in given[0]}
    if kind == "iterator":
        return iter([decode(item, referred) for item in given[0]])
    if kind in COLLECTIONS:
        return COLLECTIONS[kind](decode(item, referred) for item in given[0])
    if kind in MADE:
        return MADE[kind](*given)
    if kind in LOADED:
        return getattr(__import__(LOADED[kind]), kind)(decode(given[0], referred))
    if kind == "module" and given[0] in sys.stdlib_module_names:
        return __import__(given[0])
    if kind == REFERENCE:
        return referred(int(given[0]))
    raise ValueError(f"{str(kind)[:40]!r} is no kind of value")


def to_json(value: Any) -> str:
    """An encoded value as JSON; `json` would take longer to import than most solutions run."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, list):
        return f"[{','.join(map(to_json, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{to_json(key)}:{to_json(item)}' for key, item in value.items())}}}"
    words = {
        "None": "null",
        "True": "true",
        "False": "false",
        "inf": "Infinity",
        "-inf": "-Infinity",
        "nan": "NaN",
    }
    return words.get(text := repr(value), text)


class Channel:
    """Two pipes with one value a line, read by `read`."""

    def __init__(self, reading: int, writing: int, read: Callable[[bytes], Any]) -> None:
        self._reader = os.fdopen(reading, "rb")
        self._writing = writing
        self._read = read

    def send(self, value: Any) -> None:
        left = memoryview(to_json(value).encode() + b"\n")
        try:
            while left:
                left = left[os.write(self._writing, left) :]
        except BrokenPipeError:
            raise Ended from None

    def receive(self) -> Any:
        """The next value. Raises `Ended`."""
        line = self._reader.readline()
        if not line.endswith(b"\n"):
            raise Ended
        return self._read(line)
