"""The audit of the pinned packages: a finding fails CI, and a machine without the service goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[1] / ".ci" / "audit"
SAFE = {"name": "httpx", "version": "0.28.1", "vulns": []}
SKIPPED = {"name": "yarl", "skip_reason": "Dependency not found on PyPI"}
FOUND = {"name": "jinja2", "version": "3.1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"]}]}


@pytest.mark.service
@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        ({"dependencies": [SAFE, SKIPPED]}, 0, "1 of 2 pinned packages checked"),
        ({"dependencies": [SAFE, FOUND]}, 1, "jinja2 3.1.0: PYSEC-1, fixed in 3.1.6"),
        ({"dependencies": [SKIPPED]}, 0, "cannot be reached"),
        (None, 0, "cannot be reached"),
    ],
)
def test_a_finding_fails_and_a_missing_service_does_not(tmp_path, report, code, words):
    file = tmp_path / "report.json"
    file.write_text("" if report is None else json.dumps(report))
    done = subprocess.run([sys.executable, AUDIT, file], capture_output=True, text=True, check=False)
    assert (done.returncode, words in done.stdout) == (code, True), done.stdout + done.stderr
