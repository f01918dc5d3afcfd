"""A file of battles (CSV, JSONL or Parquet) as columns."""

from __future__ import annotations

import csv
import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What public data sets write for the outcomes of `ratings`.
WINNERS = {"a": "model_a", "b": "model_b", "both_equal": "tie", "tie (bothbad)": "both_bad"}
NEEDED = ("model_a", "model_b", "winner")

Columns = dict[str, list[object]]


class BadBattlesFile(ValueError):
    """A file that no battles can be read from; the message names the file, the row and what helps."""


def read_battles_file(path: Path, sides: tuple[str, str] | None = None) -> Columns:
    """The columns of a battles file by name, as they stand in it but for public names of winners.

    `sides` are names that the columns of the models, and the winners, may have instead: ("left", "right").

    Raises BadBattlesFile for a missing file, an unknown ending, a broken row or a missing column.
    """
    readers = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
    ending = path.suffix.lower()
    if ending not in readers:
        raise BadBattlesFile(f"{path}: expected a file ending in .csv, .jsonl or .parquet")
    try:
        with _no_garbage_collection():
            columns = readers[ending](path)
    except OSError as problem:
        raise BadBattlesFile(f"{path}: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise BadBattlesFile(f"{path}: not UTF-8 text (byte {problem.start}); save it as UTF-8") from problem
    winners = dict(WINNERS)
    if sides is not None and all(side in columns for side in sides) and "model_a" not in columns:
        called = dict(zip(sides, NEEDED, strict=False))
        columns = {called.get(name, name): column for name, column in columns.items()}
        winners |= called
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        has = ", ".join(columns) or "none"
        need = ", ".join(NEEDED)
        raise BadBattlesFile(
            f"{path}: no column {' or '.join(missing)}; the columns are: {has} (rename them to {need})"
        )
    columns["winner"] = [winners.get(w, w) if isinstance(w, str) else w for w in columns["winner"]]
    return columns


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A million rows are all alive: looking for garbage among them takes longer than reading them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _csv(path: Path) -> Columns:
    csv.field_size_limit(1 << 27)  # completions are longer than the default 128 KiB
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        try:
            names = [name.strip() for name in next(rows, [])]
            table = [row for row in rows if row]
        except csv.Error as problem:
            raise BadBattlesFile(f"{path}: line {rows.line_num}: {problem}") from problem
    if len(names) == 1 and (found := next((mark for mark in ";\t|" if mark in names[0]), None)):
        raise BadBattlesFile(f"{path}: columns are parted by {found!r}; save the file with commas")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise BadBattlesFile(f"{path}: two columns are called {twice[0]!r}; keep one")
    for number, row in enumerate(table):
        if len(row) != len(names):
            raise BadBattlesFile(f"{path}: row {number}: {len(row)} fields where the header has {len(names)}")
    return dict(zip(names, map(list, zip(*table, strict=True)), strict=True)) if table else {n: [] for n in names}


def _jsonl(path: Path) -> Columns:
    records = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as problem:
                raise BadBattlesFile(f"{path}: line {number + 1}: {problem}") from problem
            if not isinstance(record, dict):
                raise BadBattlesFile(f"{path}: line {number + 1}: expected an object, one battle a line")
            records.append(record)
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _parquet(path: Path) -> Columns:
    try:
        from pyarrow import parquet  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError as problem:
        raise BadBattlesFile(f"{path}: reading Parquet needs pyarrow; run: pip install pyarrow") from problem
    from pyarrow import ArrowInvalid

    try:
        table = parquet.read_table(path)
    except ArrowInvalid as problem:
        raise BadBattlesFile(f"{path}: {problem}") from problem
    return {name: table[name].to_pylist() for name in table.column_names}
