"""A task file in YAML as plain values, with the files that it includes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from arena.errors import ConfigError

INCLUDE = "include"


@dataclass(frozen=True)
class Function:
    """What `!function MODULE.NAME` stands for: code of the task's author, which is never run."""

    name: str


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """The safe loader, which also reads `!function`."""


def _function(loader: yaml.SafeLoader, node: yaml.Node) -> Function:
    return Function(str(loader.construct_scalar(node)) if isinstance(node, yaml.ScalarNode) else "?")


_Loader.add_constructor("!function", _function)


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys of the file over those of the files it includes; a later one of several wins over earlier ones.

    Raises `ConfigError`.
    """
    return _read(path, ())


def _read(path: Path, including: tuple[Path, ...]) -> dict[str, Any]:
    resolved = path.resolve()
    if resolved in including:
        raise ConfigError(f"{path}: The file includes itself. Remove `include` from one of the files.")
    values = _mapping(path)
    included = values.pop(INCLUDE, None) or []
    merged: dict[str, Any] = {}
    for name in [included] if isinstance(included, str) else list(included):
        merged |= _read(path.parent / str(name), (*including, resolved))
    return merged | values


def _mapping(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: File not found. Give the path of a YAML task file.") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path}: The file cannot be read ({problem}). Give a YAML file in UTF-8.") from problem
    try:
        values = _Loader(text).get_single_data()
    except yaml.YAMLError as problem:
        reason = " ".join(str(problem).split())
        raise ConfigError(f"{path}: The file is not YAML ({reason}). Correct it.") from problem
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path}: The file is not a mapping of keys. Give one task per file.")
    return {str(key): value for key, value in values.items()}
