"""Makes `boards` importable, for tests have no packages, and keeps Hypothesis quick and repeatable."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))
settings.register_profile("ratings", max_examples=40, derandomize=True, deadline=None)
settings.load_profile("ratings")
