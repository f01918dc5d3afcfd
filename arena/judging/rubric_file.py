"""The rubric of a judge run, from its file."""

from __future__ import annotations

from pathlib import Path

from arena.config.run_files import read_run_file
from arena.errors import ConfigError
from judges.errors import BadRubric
from judges.rubric import Rubric
from judges.rubric_keys import rubric_of


def read_rubric(path: Path) -> Rubric:
    """The rubric in a YAML or TOML file. Raises `ConfigError` that names the file and the key."""
    try:
        return rubric_of(read_run_file(path))
    except BadRubric as problem:
        raise ConfigError(f"{path}: {problem}") from problem
