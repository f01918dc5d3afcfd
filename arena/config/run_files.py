"""Run files in TOML or YAML, read into the same tables."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import yaml

from arena.config.given_files import plain_file
from arena.errors import ConfigError

YAML = (".yaml", ".yml")


def read_run_file(path: Path) -> dict[str, Any]:
    """The keys of a run file: YAML if its name ends in .yaml or .yml, else TOML. Raises `ConfigError`."""
    kind = "YAML" if path.suffix.lower() in YAML else "TOML"
    try:
        text = plain_file(path).read_text(encoding="utf-8")
        return _yaml(text) if kind == "YAML" else tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file. Give a TOML or YAML file.") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as problem:
        reason = " ".join(str(problem).split())
        raise ConfigError(f"{path}: cannot be read as {kind} ({reason}). Check the file.") from problem


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """PyYAML's safe loader, which refuses a key that is there twice, as TOML does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} is there twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def _yaml(text: str) -> dict[str, Any]:
    loader = _Loader(text)
    try:
        value = loader.get_single_data()
    finally:
        loader.dispose()
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError("expected keys with values, such as `mode: pairwise`")
    return value
