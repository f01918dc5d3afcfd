"""The process of the tests: executes them over a solution in another process, and says that they reached their end.

A name that the tests do not define is the solution's, unless Python defines it: a solution cannot replace `abs` or
`isinstance` under the tests, nor put another module in the place of `math`.
"""

from __future__ import annotations

import builtins
import json
import os
import sys

from .values import MODULE, Channel, Ended, decode, encode

TYPE_CHECKING = False  # without typing, whose import takes longer than the rest
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

SOLUTION_ENDED = 75  # the exit code; the supervisor then looks at the solution's own
PASSED = b"passed"


class Solution:
    """The other process."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def ask(self, action: str, *given: Any, arguments: tuple[Any, ...] = ()) -> Any:
        """The result of an action; arguments that it changed are changed here. Raises what the solution raised."""
        self.channel.send([action, *given])
        kind, *reply = self.channel.receive()
        if kind == "error":
            raise _exception(str(reply[0]))(str(reply[1]))
        for argument, after in zip(arguments, reply[1] or (), strict=False):
            if isinstance(argument, list | dict | set) and after is not None:
                _replace(argument, self.decoded(after))
        return self.decoded(reply[0])

    def encoded(self, value: Any) -> Any:
        return encode(value, _number)

    def decoded(self, value: Any) -> Any:
        return decode(value, lambda number: Remote(self, number))


class Remote:
    """An object of the solution: it can be called, and its attributes read and set. It equals itself alone."""

    def __init__(self, solution: Solution, number: int) -> None:
        object.__setattr__(self, "_solution", solution)
        object.__setattr__(self, "_number", number)

    def __call__(self, *given: Any, **named: Any) -> Any:
        solution: Solution = object.__getattribute__(self, "_solution")
        positional = [solution.encoded(value) for value in given]
        by_name = {name: solution.encoded(value) for name, value in named.items()}
        return solution.ask("call", _number(self), positional, by_name, arguments=given)

    def __getattr__(self, name: str) -> Any:
        return object.__getattribute__(self, "_solution").ask("get", _number(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        solution: Solution = object.__getattribute__(self, "_solution")
        solution.ask("set", _number(self), name, solution.encoded(value))


class Names(dict):  # type: ignore[type-arg]
    """The names of the tests; a missing one is a module of the standard library, or else the solution's."""

    def __init__(self, solution: Solution, own: Iterable[str]) -> None:
        super().__init__(__name__="__main__")
        self.solution, self.own = solution, frozenset(own)

    def __missing__(self, name: str) -> Any:
        if name not in self.own and (hasattr(builtins, name) or name.startswith("__")):
            raise KeyError(name)
        try:
            value = self.solution.ask("name", name)
        except NameError:
            raise KeyError(name) from None
        if isinstance(value, MODULE) and name in sys.stdlib_module_names:  # not another one under this name
            value = __import__(name)
        self[name] = value
        return value


def main(reading: int, writing: int, verdict: int, plan: Mapping[str, Any]) -> int:
    """The exit code; the verdict is written after the last line of the tests."""
    sys.set_int_max_str_digits(0)
    channel = Channel(reading, writing, json.loads)
    try:
        channel.receive()  # the solution's program is at its end
        exec(compile(plan["tests"], "tests.py", "exec"), Names(Solution(channel), plan["names"]))  # noqa: S102
    except Ended:
        return SOLUTION_ENDED
    except BaseException as error:  # noqa: BLE001  of the tests, or of a solution that breaks the protocol
        _print_trace(error)
        return 1
    sys.stdout.flush()
    os.write(verdict, PASSED)
    return 0


def _print_trace(error: BaseException) -> None:
    """The trace from the tests' own first line on."""
    import traceback

    first = error.__traceback__
    while first is not None and first.tb_frame.f_code.co_filename != "tests.py":
        first = first.tb_next
    traceback.print_exception(type(error), error, first, file=sys.stdout)
    sys.stdout.flush()


def _number(value: Any) -> int:
    if not isinstance(value, Remote):
        raise TypeError(f"tests cannot give a solution a {type(value).__name__}. Give plain data.")
    number: int = object.__getattribute__(value, "_number")
    return number


def _exception(name: str) -> type[Exception]:
    kind = getattr(builtins, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else RuntimeError


def _replace(argument: Any, after: Any) -> None:
    if isinstance(argument, list):
        argument[:] = after
    else:
        argument.clear()
        argument.update(after)
