"""Published verdicts that tests recompute; without the folder a test is skipped."""

import json
import os
from pathlib import Path

import pytest


def published(*path):
    folder = Path(os.environ.get("ARENA_TEST_DATA", Path(__file__).parents[3] / "shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set ARENA_TEST_DATA")
    return folder.joinpath("judges", *path)


def read(*path):
    return json.loads(published(*path).read_text(encoding="utf-8"))


def read_lines(*path):
    lines = published(*path).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]
