"""A copy of an export for tests that change it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    """A copy of the folder that the module's `exported` gives."""
    return Path(shutil.copytree(exported, tmp_path / "copy"))
