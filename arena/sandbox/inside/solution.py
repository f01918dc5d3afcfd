"""The process of a solution: executes its program, then answers what the tests call, until they are done."""

from __future__ import annotations

import builtins
import sys

from .values import Channel, Ended, decode, encode

TYPE_CHECKING = False  # without typing, whose import takes longer than the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PROGRAM = "/work/program.py"


class Objects:
    """The solution's objects that the tests hold, by number."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self._objects: list[Any] = []

    def refer(self, value: Any) -> int:
        self._objects.append(value)
        return len(self._objects) - 1

    def answer(self, action: str, *given: Any) -> list[Any]:
        """The result of an action, encoded, and the arguments that it changed."""
        actions: dict[str, Callable[..., list[Any]]] = {
            "name": self._name, "call": self._call, "get": self._get, "set": self._set,
        }  # fmt: skip
        return actions[action](*given)

    def _name(self, name: str) -> list[Any]:
        if name not in self.names:
            raise NameError(f"name {name!r} is not defined")
        return [encode(self.names[name], self.refer), None]

    def _call(self, number: int, positional: list[Any], named: dict[str, Any]) -> list[Any]:
        values = [decode(value, self._objects.__getitem__) for value in positional]
        result = self._objects[number](
            *values, **{name: decode(value, self._objects.__getitem__) for name, value in named.items()}
        )
        after = [encode(v, self.refer) if isinstance(v, list | dict | set) else None for v in values]
        changed = any(new is not None and new != old for new, old in zip(after, positional, strict=True))
        return [encode(result, self.refer), after if changed else None]

    def _get(self, number: int, name: str) -> list[Any]:
        return [encode(getattr(self._objects[number], name), self.refer), None]

    def _set(self, number: int, name: str, value: Any) -> list[Any]:
        setattr(self._objects[number], name, decode(value, self._objects.__getitem__))
        return [None, None]


JSON = {"null": None, "true": True, "false": False, "Infinity": float("inf"), "NaN": float("nan")}


def read(line: bytes) -> Any:
    """A value of the tests. JSON with these names is Python, and the tests are no attacker of the solution."""
    return eval(line, {"__builtins__": {}, **JSON})  # noqa: S307


def main(reading: int, writing: int) -> None:
    channel = Channel(reading, writing, read)
    sys.argv, builtins.exit, builtins.quit = ["program.py"], sys.exit, sys.exit  # type: ignore[assignment]
    sys.set_int_max_str_digits(0)
    with open(PROGRAM, encoding="utf-8") as file:
        source = file.read()
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "program.py", "exec"), names)  # noqa: S102  the purpose of this file
    objects = Objects(names)
    sys.stdout.flush()
    channel.send(["ready"])
    try:
        while True:
            _reply(channel, objects, channel.receive())
    except Ended:
        return


def _reply(channel: Channel, objects: Objects, request: list[Any]) -> None:
    try:
        reply = ["value", *objects.answer(*request)]
    except Exception as error:  # noqa: BLE001  whatever the solution raises reaches its tests
        reply = ["error", type(error).__name__, str(error)[:1000]]
    sys.stdout.flush()
    channel.send(reply)
