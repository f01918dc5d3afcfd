"""Wheels from the package index, by pip and without their dependencies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class IndexFailed(Exception):
    """pip could not download a package; the text is the last line that it wrote."""


def download_wheels(
    requirements: Sequence[str],
    folder: Path,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> None:
    """Download the wheels of `requirements` (`name==version`) into a folder. Blocks. Raises `IndexFailed`."""
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check",
        "--no-input", "--quiet", *options, "--dest", str(folder), *requirements,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    if done.returncode != 0:
        raise IndexFailed((done.stderr.strip().splitlines() or ["no explanation"])[-1])
