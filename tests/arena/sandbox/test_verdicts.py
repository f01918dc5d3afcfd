"""Solutions that do not solve anything and want to pass; solutions that do, and return all kinds of values."""

from __future__ import annotations

import pytest

from arena.sandbox import Limits, Program
from reproduce.attacks.programs import EARLY, FORGERIES, TESTS, WRONG
from tests.arena.sandbox.test_sandbox import isolated, run  # noqa: F401  the fixture of both walls

ENDLESS = "replace os.write and the channel"  # ends at the limit of two seconds


@pytest.mark.parametrize(
    "forgery", [pytest.param(name, marks=pytest.mark.slow) if name == ENDLESS else name for name in FORGERIES]
)
def test_no_wrong_solution_passes(forgery):
    source = FORGERIES[forgery]
    program = source if "def add" in source else WRONG + source
    assert not run(Program(program, TESTS), Limits(seconds=2)).passed


def test_answers_before_the_questions_are_guesses():
    """What a solution sends early is taken for its answers: it must know them all, and then it solves the tests."""
    assert not run(Program(EARLY, TESTS.replace("3", "4")), Limits(seconds=2)).passed


def test_the_solution_does_not_see_its_tests():
    program = """
import gc
secret = "".join(["KEPT", "SECRET"])
def add(a, b):
    found = [o for o in gc.get_objects() if o is not globals() and secret in repr(o)[:5000]]
    return a + b if len(found) == 0 else 0
"""
    found = run(Program(program, TESTS + "# KEPTSECRET"))
    assert found.passed, found.output


VALUES = (
    "None", "True", "-3", "10 ** 5000", "1.5", "float('inf')", "1 + 2j", "'é \\ud800 \\x00'", "b'\\x00\\xff'",
    "[1, [2.0, None]]", "(1, ('a',))", "{1, 2}", "frozenset({(1, 2)})", "{'a': [1], 2: (3,), (4, 5): {6}}", "range(3)",
    "[]", "()", "set()",
)  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_plain_values_cross_both_ways(value):
    program = f"def same(x):\n    assert x == {value} and type(x) is type({value})\n    return x\n"
    tests = f"value = same({value})\nassert value == {value} and type(value) is type({value})"
    found = run(Program(program, tests))
    assert found.passed, found.output


def test_other_values_arrive_as_the_tests_expect_them():
    program = """
import collections, decimal, enum, fractions
Pair = collections.namedtuple("Pair", "a b")
class Colour(enum.IntEnum):
    RED = 1
def pair(): return Pair(1, 2)
def colour(): return Colour.RED
def count(): return collections.Counter("aab")
def lazy(): return (n * n for n in range(4))
def views(): return {1: 2}.keys()
def money(): return decimal.Decimal("1.10"), fractions.Fraction(1, 3)
def queue(): return collections.deque([1, 2])
def fail(): raise ZeroDivisionError("by zero")
def own(): raise type("Own", (Exception,), {})("mine")
class Node:
    def __init__(self, value): self.value, self.next = value, None
def total(node): return node.value + (total(node.next) if node.next else 0)
def sort(items): items.sort(); return None
PI = 3.14
"""
    tests = """
import collections, decimal, fractions
assert pair() == (1, 2) and colour() == 1 and count() == {"a": 2, "b": 1} and list(lazy()) == [0, 1, 4, 9]
assert list(views()) == [1] and money() == (decimal.Decimal("1.10"), fractions.Fraction(1, 3))
assert queue() == collections.deque([1, 2]) and PI == 3.14 and math.isclose(math.pi, 3.14159, rel_tol=1e-3)
for call, kind in ((fail, ZeroDivisionError), (own, RuntimeError)):
    try:
        call()
    except kind:
        continue
    raise AssertionError(kind)
first = Node(1)
first.next = Node(2)
assert total(first) == 3 and first.next.value == 2
items = [3, 1, 2]
sort(items)
assert items == [1, 2, 3]
"""
    found = run(Program("import math\n" + program, tests))
    assert found.passed, found.output


def test_a_name_of_python_is_the_solutions_only_where_the_task_says_so():
    program = "def sum(a, b):\n    return 7\n"
    assert run(Program(program, "assert sum(1, 2) == 7", ("sum",))).passed
    assert run(Program(program, "assert sum([1, 2]) == 3")).passed


def test_half_a_surrogate_pair_fails_its_own_sample_alone():
    for solution in ("x = '\ud800'", "x = 1\x00", "(" * 100_000):
        assert run(Program(solution, "assert True")).reason == "exception"
    assert run(Program("x = 1", "assert x == 1")).passed


@pytest.mark.parametrize(
    ("program", "reasons"),
    [
        ("import os\nfd = os.memfd_create('x')\nfor _ in range(1200): os.write(fd, bytes(1 << 20))", {"exception"}),
        (
            "import os, time\nfor _ in range(4):\n  if os.fork() == 0: break\n"
            "x = bytearray(b'x' * 4096) * (50 << 10)\ntime.sleep(60)",
            {"memory"},
        ),
        ("import mmap\nm = [mmap.mmap(-1, 400 << 20) for _ in range(3)]", {"exception"}),
        ("import ctypes\nassert ctypes.CDLL(None).shmget(0, 1 << 30, 0o1600) == -1\nraise OSError", {"exception"}),
        ("f = open('/tmp/x', 'wb')\nwhile True: f.write(bytes(1 << 20))", {"exception", "killed by SIGXFSZ"}),
    ],
)  # fmt: skip
def test_memory_is_limited_for_all_processes_together(program, reasons):
    found = run(program)
    assert found.reason in reasons, found


@pytest.mark.parametrize("link", ["/etc/passwd", "/proc/self/environ", "/root", "/dev/sda"])
def test_a_link_leads_nowhere(link):
    assert not run(f"import os\nos.symlink({link!r}, '/work/x')\nopen('/work/x').read()").passed
