"""Rows of a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.errors import BadData, MissingExtra


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of the file. Raises `BadData`, `MissingExtra`."""
    try:
        import pyarrow.lib
        import pyarrow.parquet
    except ImportError as problem:
        raise MissingExtra(
            f"{path}: Parquet needs the extra 'parquet'. Run `pip install 'arena[parquet]'`."
        ) from problem
    try:
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path, partitioning=None).to_pylist()
    except (OSError, pyarrow.lib.ArrowException, UnicodeDecodeError) as problem:
        reason = " ".join(str(problem).split())
        raise BadData(f"{path}: The file is not Parquet ({reason}). Download it again.") from problem
    return rows
