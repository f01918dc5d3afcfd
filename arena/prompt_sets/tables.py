"""Rows of prompts or completions in any container: JSON, JSON lines, CSV, Parquet, or a folder of `datasets`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from arena.prompt_sets.inspect_log import SUFFIX, inspect_records
from arena.prompt_sets.records import BadPromptFile, Record, file_text, records

OUTPUTS = "model_outputs.json"  # of AlpacaEval, one in the folder of each model
PARQUET = ".parquet"
SAVED = ("dataset_info.json", "dataset_dict.json")  # of `Dataset.save_to_disk`


def placed_records(path: Path, split: str | None = None) -> list[tuple[str, Record]]:
    """The records of a file or folder, each with its place in it. Raises `BadPromptFile`.

    A folder is one of AlpacaEval, one that `datasets` saved, or one of Parquet files. `split` chooses among the
    splits of a folder.
    """
    if path.suffix == SUFFIX:
        rows = inspect_records(path)
    elif not path.is_dir():
        rows = _parquet(path) if path.suffix == PARQUET else records(file_text(path), str(path))
    elif any((path / name).exists() for name in SAVED):
        rows = _saved(path, split)
    elif (path / OUTPUTS).exists() or not (files := sorted(path.rglob("*.parquet"))):
        rows = records(file_text(path / OUTPUTS), str(path / OUTPUTS))
    else:
        rows = (row for file in _of_split(path, files, split) for row in _parquet(file))
    if not (placed := list(rows)):
        raise BadPromptFile(f"{path}: the file is empty. Expected records, one per line.")
    return placed


def _saved(path: Path, split: str | None) -> Iterator[tuple[str, Record]]:
    try:
        import datasets
    except ImportError as cause:
        raise BadPromptFile(
            f"{path}: a folder of `datasets` needs the extra 'hub' ({cause}). Run `pip install 'arena[hub]'`."
        ) from cause
    try:
        saved = datasets.load_from_disk(str(path))
    # The exceptions of `datasets` differ by version: FileNotFoundError, ValueError, TypeError, ArrowInvalid, …
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as cause:
        reason = " ".join(str(cause).split())
        raise BadPromptFile(
            f"{path}: `datasets` cannot load this folder ({reason}). Save it again with save_to_disk."
        ) from cause
    if isinstance(saved, datasets.DatasetDict):
        saved = saved[_chosen(path, sorted(saved), split)]
    return _rows(saved, str(path))


def _parquet(path: Path) -> Iterator[tuple[str, Record]]:
    try:
        import pyarrow.lib
        import pyarrow.parquet
    except ImportError as cause:
        raise BadPromptFile(
            f"{path}: Parquet needs the extra 'parquet' ({cause}). Run `pip install 'arena[parquet]'`."
        ) from cause
    try:
        rows = pyarrow.parquet.read_table(path, partitioning=None).to_pylist()
    except FileNotFoundError:
        raise BadPromptFile(f"{path}: no such file. Check the path.") from None
    except (OSError, pyarrow.lib.ArrowException, UnicodeDecodeError) as cause:
        reason = " ".join(str(cause).split())
        raise BadPromptFile(f"{path}: cannot be read as Parquet ({reason}). Check the file.") from cause
    return _rows(rows, str(path))


def _rows(rows: Iterable[dict[str, Any]], where: str) -> Iterator[tuple[str, Record]]:
    """The rows with values of JSON only, without nulls, which a table has for the missing keys of a record."""
    for number, row in enumerate(rows, 1):
        given = {name: value for name, value in row.items() if value is not None}
        yield f"{where}: row {number}", json.loads(json.dumps(given, default=str))


def _of_split(path: Path, files: list[Path], split: str | None) -> list[Path]:
    """The files of a split, which are named after it: `test-00000-of-00001.parquet`, `test/0000.parquet`."""
    names = {file: file.stem.partition("-")[0] if file.parent.name in (path.name, "data") else file.parent.name
             for file in files}  # fmt: skip
    chosen = _chosen(path, sorted(set(names.values())), split)
    return [file for file in files if names[file] == chosen]


def _chosen(path: Path, splits: list[str], split: str | None) -> str:
    if split is None and len(splits) == 1:
        return splits[0]
    if split not in splits:
        problem = "which split is not given" if split is None else f"no split {split!r}"
        raise BadPromptFile(f"{path}: {problem}. Use --split with one of: {', '.join(splits)}.")
    return split
