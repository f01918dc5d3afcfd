"""A copy of an export for tests that change it, and stored runs to export."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from arena.store import Database
from tests.support.sample_runs import store_benched, store_judged


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    """A copy of the folder that the module's `exported` gives."""
    return Path(shutil.copytree(exported, tmp_path / "copy"))


@pytest.fixture
def judged_set(sqlite: Database) -> Database:
    """An arena with the judged prompt set `set`."""
    store_judged(sqlite)
    return sqlite


@pytest.fixture
def benchmark_runs(sqlite: Database) -> Database:
    """An arena with two benchmark runs."""
    store_benched(sqlite)
    return sqlite
