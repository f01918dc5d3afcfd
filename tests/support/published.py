"""Published files that tests recompute figures from. Without the folder such a test is skipped and says why."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("ARENA_TEST_DATA", Path(__file__).parents[3] / "shared/data"))


def published(*path):
    """The place of a published file below ``$ARENA_TEST_DATA``, by default ``shared/data`` beside the checkout."""
    if not DATA.is_dir():
        pytest.skip(f"no published files at {DATA}: set ARENA_TEST_DATA")
    return DATA.joinpath(*path)
