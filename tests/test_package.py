"""The built wheel holds the five packages, and the README's promises are the ones that CI keeps."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("ratings", "judges", "benchmarks", "interp", "arena")


def modules() -> set[str]:
    return {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_five_packages(tmp_path):
    copy = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(copy)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("arena-*.whl")
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(tracked.stdout.split()) <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("page", ["README.md", "docs/ratings.md"])
def test_what_a_page_says_of_ratings_runs_as_written(page):
    snippet = (ROOT / page).read_text().partition("```python\n")[2].partition("```")[0]
    assert "from ratings import" in snippet
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, env=here)
    assert done.returncode == 0, done.stderr
    assert "rank" in done.stdout


def test_every_package_with_code_is_named_in_the_settings():
    named = (ROOT / "pyproject.toml").read_text()
    folders = {str(Path(file).parent) for file in modules() if file.endswith(".py")}
    for folder in folders:
        assert f'"{folder.replace("/", ".")}"' in named


def test_ci_runs_the_readmes_test_command():
    readme = (ROOT / "README.md").read_text()
    assert "<!-- test command -->\n```\npip install -c constraints.txt -e '.[dev]' && pytest\n```" in readme
    assert "<!-- test command -->" in (ROOT / ".ci/run").read_text()


@pytest.mark.slow
def test_the_wheel_is_built_without_a_compiler_as_well(tmp_path):
    copy = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(copy)]
    subprocess.run(build, check=True, capture_output=True, env={**os.environ, "CC": "no-such-compiler"})
    (wheel,) = tmp_path.glob("arena-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "ratings/elo.py" in names
    assert not [name for name in names if name.startswith("ratings/_loops.") and not name.endswith(".c")]
