import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def benchmark_data():
    """The folder with the published files; see docs/benchmarks.md for where they come from."""
    data = os.environ.get("ARENA_TEST_DATA")
    if not data:
        pytest.skip("set ARENA_TEST_DATA to the folder that has benchmarks/, as docs/benchmarks.md says")
    return Path(data) / "benchmarks"
