"""`pytest -m unit` selects the tests that need nothing outside the process, and holds them to it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILES = {
    "test_pure.py": "def test_pure():\n    pass\n\ndef test_database(tmp_path):\n"
    "    import sqlite3\n    sqlite3.connect(tmp_path / 'x.db').close()\n",
    "test_other.py": "import subprocess\n\ndef test_other():\n    raise AssertionError('not a unit test')\n",
    "test_skipped.py": "import pytest\npytest.importorskip('torch')\n\ndef test_weights():\n    raise AssertionError\n",
    "test_marked.py": "import pytest\n\n@pytest.mark.service\ndef test_marked():\n    raise AssertionError\n",
}


@pytest.mark.slow
def test_a_unit_test_that_opens_a_database_fails_and_tests_of_services_do_not_run(tmp_path):
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  unit: u\n  service: s\n  slow: s\n")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "unit", "-p", "no:cacheprovider", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "1 failed, 1 passed, 1 deselected" in run.stdout, run.stdout
    assert "A unit test used sqlite3.connect. Mark it `service`." in run.stdout
