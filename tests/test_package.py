"""The built wheel holds the five packages, and the README's promises are the ones that CI keeps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def requirements() -> list[Requirement]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = [line for extra in settings["project"]["optional-dependencies"].values() for line in extra]
    lines = [*settings["build-system"]["requires"], *settings["project"]["dependencies"], *extras]
    return [wanted for wanted in map(Requirement, lines) if wanted.name != "arena"]


def test_every_requirement_has_an_upper_bound():
    unbound = [
        str(wanted)
        for wanted in requirements()
        if not {"<", "=="} & {bound.operator for bound in wanted.specifier}
    ]
    assert unbound == []


def test_the_pinned_versions_satisfy_every_requirement():
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    pinned = [wanted for wanted in requirements() if canonicalize_name(wanted.name) in pins]
    assert len(pinned) > 40
    assert [str(wanted) for wanted in pinned if pins[canonicalize_name(wanted.name)] not in wanted.specifier] == []


def test_every_install_line_of_the_pages_uses_the_constraints():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    commands = [
        command for page in pages for command in re.findall(r"pip install [^`\n]*'\.\[[^`\n]*", page.read_text())
    ]
    assert commands
    assert [command for command in commands if "-c constraints.txt" not in command] == []


def test_the_version_is_the_newest_release_of_the_changelog():
    newest = re.search(
        r"^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert f'version = "{newest[1]}"' in (ROOT / "pyproject.toml").read_text()


def test_ci_runs_the_readmes_test_command():
    readme = (ROOT / "README.md").read_text()
    assert "<!-- test command -->\n```\npip install -c constraints.txt -e '.[dev]' && pytest\n```" in readme
    assert "<!-- test command -->" in (ROOT / ".ci/run").read_text()


def test_ci_runs_the_quick_tests_with_the_newest_releases_too():
    script = (ROOT / ".ci/run").read_text()
    newest = script.partition("with_newest() {")[2].partition("\n}")[0]
    assert "pip install" in newest
    assert "constraints" not in newest
    assert 'pytest -q -m "not slow"' in newest


@pytest.mark.slow
def test_the_wheel_is_built_without_a_compiler_as_well(tmp_path):
    copy = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(copy)]
    subprocess.run(build, check=True, capture_output=True, env={**os.environ, "CC": "no-such-compiler"})
    (wheel,) = tmp_path.glob("arena-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    packages = ("ratings", "judges", "benchmarks", "interp", "arena")
    listed = subprocess.run(["git", "ls-files", *packages], cwd=copy, check=True, capture_output=True, text=True)
    assert "ratings/models/elo.py" in names
    assert set(listed.stdout.split()) <= set(names)
    assert not [name for name in names if name.startswith("ratings/_loops.") and not name.endswith(".c")]
