"""Prompt sets from the hub, through `datasets`, always at a pinned revision."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from arena.prompt_sets.files import BadPromptFile, PromptFile, read_prompts

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
SPLIT = "test"


def is_hub_id(what: str) -> bool:
    """Whether this is `owner/name` and no path on this disk."""
    return HUB_ID.fullmatch(what) is not None and not Path(what).exists() and not Path(what).suffix


def read_hub_prompts(
    source: str,
    revision: str | None,
    subset: str | None = None,
    split: str | None = None,
    format: str | None = None,  # noqa: A002
) -> PromptFile:
    """The rows of one split as prompts. `source` is a hub id, or a folder that `datasets` can load.

    Raises `BadPromptFile`: without a revision, without the extra, without a hub, without such a split.
    """
    if revision is None and not Path(source).exists():
        raise BadPromptFile(
            f"{source}: give --revision COMMIT, for a set on the hub may change between two imports"
        )
    try:
        import datasets
    except ImportError as cause:
        raise BadPromptFile(f"{source}: needs the extra 'hub': pip install 'arena[hub]' ({cause})") from cause
    try:
        rows = datasets.load_dataset(source, subset, split=split or SPLIT, revision=revision)
    # What `datasets` raises differs by loader and version: ConnectionError, DatasetNotFoundError, ValueError, …
    except (OSError, ValueError, LookupError, RuntimeError, datasets.exceptions.DatasetsError) as cause:
        said = " ".join(str(cause).split())
        raise BadPromptFile(
            f"{source} cannot be loaded ({said}). Without a way to the hub, download the file elsewhere and "
            "import it: arena prompts import FILE"
        ) from cause
    text = "\n".join(json.dumps(_plain(row), ensure_ascii=False, default=str) for row in rows)
    return read_prompts(text, source, format)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the gaps that a table has where a record has no such key."""
    return {name: value for name, value in row.items() if value is not None}
