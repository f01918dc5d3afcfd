"""Prompt sets of the Hugging Face hub, loaded with `datasets` at a pinned revision."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from arena.prompt_sets.files import PromptFile, read_prompts
from arena.prompt_sets.records import BadPromptFile

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
SPLIT = "test"


def is_hub_id(name: str) -> bool:
    """Whether `name` is `owner/name` and not a local path."""
    return HUB_ID.fullmatch(name) is not None and not Path(name).exists() and not Path(name).suffix


def read_hub_prompts(
    source: str,
    revision: str | None,
    subset: str | None = None,
    split: str | None = None,
    format: str | None = None,  # noqa: A002
    mapping: Mapping[str, str] = MappingProxyType({}),
) -> PromptFile:
    """The rows of one split as prompts. `source` is a hub id, or a folder that `datasets` can load.

    Raises `BadPromptFile` if the revision, the extra, the hub or the split is missing.
    """
    if revision is None and not Path(source).exists():
        raise BadPromptFile(
            f"{source}: no revision is given, and a set on the hub may change. Use --revision COMMIT."
        )
    try:
        import datasets
    except ImportError as cause:
        raise BadPromptFile(
            f"{source}: the extra 'hub' is missing ({cause}). Run `pip install 'arena[hub]'`."
        ) from cause
    try:
        rows = datasets.load_dataset(source, subset, split=split or SPLIT, revision=revision)
    # The exceptions of `datasets` differ by loader and version: ConnectionError, DatasetNotFoundError, ValueError, …
    except (OSError, ValueError, LookupError, RuntimeError, datasets.exceptions.DatasetsError) as cause:
        reason = " ".join(str(cause).split())
        raise BadPromptFile(
            f"{source} cannot be loaded ({reason}). If the hub is unreachable, download the file on another "
            "machine and run `arena prompts import FILE`."
        ) from cause
    text = "\n".join(json.dumps(_without_nulls(row), ensure_ascii=False, default=str) for row in rows)
    return read_prompts(text, source, format, mapping)


def _without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    """The row without nulls, which a table has for the missing keys of a record."""
    return {name: value for name, value in row.items() if value is not None}
