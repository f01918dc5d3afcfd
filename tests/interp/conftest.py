"""Makes `small_models` importable, for tests have no packages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
