"""Marks `unit` every test that needs no server, database, process, browser or model, and fails one that uses any.

`pytest -m unit` is the run before a push. A new test joins it without being listed.
"""

from __future__ import annotations

import ast
import gc
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

OTHER_MARKERS = ("slow", "service")
FIXTURES = {"arena", "battles", "database", "isolated", "postgres", "sqlite"}
IMPORTS = (
    "arena.cli", "arena.sandbox", "arena.store.Database", "arena.web.app", "playwright", "subprocess",
    "torch", "transformers",
    "tests.support.arenas", "tests.support.ballots", "tests.support.browser", "tests.support.faulty_judge",
    "tests.support.known_models", "tests.support.populated", "tests.support.server", "tests.support.small_models",
    "tests.support.typed", "tests.support.voted_battles",
)  # fmt: skip
EVENTS = {"socket.bind", "socket.connect", "sqlite3.connect", "subprocess.Popen", "os.fork", "os.posix_spawn"}

# Tests vote at once, often on one prompt, and on a busy machine. What is about these checks sets them itself.
for check in ("READING_SPEED", "SAME_PROMPT_VOTES", "SUGGESTED_PROMPT_VOTES", "LAG_SECONDS"):
    os.environ[f"ARENA_LIMITS__{check}"] = "0"

# Torch, Gradio and the tests are a million objects, which stay: searching them for garbage takes a fifth of the time
gc.set_threshold(50_000, 20, 20)

# Hypothesis tries the same texts each time, few of them, and fails no test because the machine is slow
settings.register_profile(
    "repeatable", max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")

events: list[str] = []


def record(event: str, _: object) -> None:
    if event in EVENTS:
        events.append(event)


sys.addaudithook(record)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m unit`, ignores files that import torch, a browser or a server: importing them takes seconds."""
    if config.option.markexpr == "unit" and collection_path.suffix == ".py":
        return not is_self_contained(collection_path) or None
    return None


def pytest_collection_finish() -> None:
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and is_unit(item):
        item.add_marker(pytest.mark.unit)


def is_unit(test: pytest.Function) -> bool:
    has_other_marker = any(test.get_closest_marker(name) for name in OTHER_MARKERS)
    return not has_other_marker and not FIXTURES & set(test.fixturenames) and is_self_contained(test.path)


@cache
def is_self_contained(path: Path) -> bool:
    """Whether a test file imports nothing that needs a database, a server, a browser or weights."""
    names = imported_names(ast.parse(path.read_text(encoding="utf-8")))
    return not any(name == other or name.startswith(f"{other}.") for name in names for other in IMPORTS)


def imported_names(module: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports at its top, `pytest.importorskip` included."""
    for node in module.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            calls = (part for part in ast.walk(node) if isinstance(part, ast.Call))
            skips = (call for call in calls if ast.unparse(call.func) == "pytest.importorskip")
            yield from (ast.literal_eval(call.args[0]) for call in skips if isinstance(call.args[0], ast.Constant))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    events.clear()
    result = yield
    if events and item.get_closest_marker("unit"):
        pytest.fail(f"A unit test used {', '.join(sorted(set(events)))}. Mark it `service`.")
    return result
