import pytest

from tests.support.published import published


@pytest.fixture(scope="session")
def benchmark_data():
    """The folder with the published files; see docs/benchmarks.md for where they come from."""
    return published("benchmarks")
