"""Forks the solution and its tests in a root of their own, and waits for the tests.

The descriptor of the verdict receives `ready` when the solution starts, or the error that prevented it; then `passed`
after the last line of the tests. The solution closes it before its program is read.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys

from . import rights, tests_side

TYPE_CHECKING = False  # without typing, whose import takes longer than the rest
if TYPE_CHECKING:
    from typing import Any

PATH = "/jail"  # where this package is mounted
START = f"import sys; sys.path.insert(0, {PATH!r}); from inside.solution import main; main(3, 4)"


def main(descriptor: int) -> None:
    """For a root that is made already, as bubblewrap does it. The plan comes on standard input."""
    plan = json.load(sys.stdin)
    exit_with_result(supervise, plan, descriptor)


def supervise(plan: dict[str, Any], descriptor: int) -> int:
    """The exit code of the tests, or of a solution that ended before them."""
    rights.hide()
    with open("/work/program.py", "wb") as file:
        file.write(plan["program"].encode("utf-8", "surrogatepass"))
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    for_solution, from_tests = os.pipe()
    for_tests, from_solution = os.pipe()
    solution = os.fork()
    if solution == 0:
        exit_with_result(start_solution, plan, descriptor, for_solution, from_solution)
    os.close(for_solution)
    os.close(from_solution)
    tests = os.fork()
    if tests == 0:
        exit_with_result(run_tests, plan, descriptor, for_tests, from_tests)
    os.close(for_tests)
    os.close(from_tests)
    return wait_for(tests, solution)


def start_solution(plan: dict[str, Any], descriptor: int, reading: int, writing: int) -> int:
    """Never returns: this process becomes the solution, with its two pipes as 3 and 4 and nothing else open."""
    rights.drop(plan, tests=False)
    reading, writing = (fcntl.fcntl(pipe, fcntl.F_DUPFD, 16) for pipe in (reading, writing))
    os.write(descriptor, b"ready\n")
    os.dup2(reading, 3)
    os.dup2(writing, 4)
    os.closerange(5, 1 << 20)
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/work", "LANG": "C.UTF-8"}
    os.execve(plan["python"], [plan["python"], "-I", "-S", "-c", START], environment)  # noqa: S606  the purpose


def run_tests(plan: dict[str, Any], descriptor: int, reading: int, writing: int) -> int:
    rights.drop(plan, tests=True)
    return tests_side.main(reading, writing, descriptor, plan)


def wait_for(tests: int, solution: int) -> int:
    """The exit code when the tests end; orphans are reaped on the way."""
    codes: dict[int, int] = {}
    while tests not in codes:
        ended, status = os.wait()
        codes[ended] = exit_code(status)
    if codes[tests] != tests_side.SOLUTION_ENDED:
        return codes[tests]
    if solution not in codes:
        codes[solution] = exit_code(os.waitpid(solution, 0)[1])
    return codes[solution]


def exit_code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def exit_with_result(function: Any, plan: dict[str, Any], descriptor: int, *more: int) -> None:
    """End this process with the exit code that `function` returns; an error is written to the descriptor."""
    try:
        os._exit(function(plan, descriptor, *more))
    except OSError as error:
        os.write(descriptor, f"{error.strerror or error}".encode())
        os._exit(70)
