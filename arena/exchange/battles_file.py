"""A file of battles (CSV, JSONL, Parquet or JSON) in any of the formats of `arena.exchange.formats`, as columns."""

from __future__ import annotations

import csv
import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from arena.config.given_files import json_value, plain_file
from arena.exchange.formats import (
    comparia_reactions,
    comparia_votes,
    fastchat_log,
    one_hot,
    pandalm,
    plain,
    preference_pairs,
)
from arena.exchange.formats.battle_columns import NEEDED, BadBattlesFile, BattlesFile, Columns
from arena.rules.csv_table import cell_text

FORMATS = (
    fastchat_log,
    comparia_reactions,
    comparia_votes,
    one_hot,
    preference_pairs,
)  # `plain` is the last resort
WORTH_ARROW = 4 << 20  # bytes: below, importing pyarrow takes longer than it saves
ARROW_BLOCK = 16 << 20  # a row has to fit in
LINES = 1000  # that are parsed together


def read_battles_file(path: Path) -> BattlesFile:
    """The battles of a file, with the columns as they stand in it but for the spelling of winners.

    Raises BadBattlesFile for a missing file, an unknown ending, a broken row or a missing column.
    """
    readers = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet, ".json": _json}
    ending = path.suffix.lower()
    if ending not in readers:
        raise BadBattlesFile(f"{path} has an unknown ending. Give a .csv, .jsonl, .parquet or .json file.")
    try:
        with _no_garbage_collection():
            columns = readers[ending](plain_file(path))
    except OSError as problem:
        raise BadBattlesFile(f"{path}: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise BadBattlesFile(f"{path}: not UTF-8 text (byte {problem.start}). Save it as UTF-8.") from problem
    read = next((known.read for known in FORMATS if known.reads(columns)), plain.read)
    try:
        return read(columns)
    except BadBattlesFile as problem:
        raise BadBattlesFile(f"{path}: {problem}") from problem


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
    if path.stat().st_size >= WORTH_ARROW and (columns := _csv_by_arrow(path)) is not None:
        return columns
    csv.field_size_limit(1 << 27)  # completions are longer than the default 128 KiB
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        try:
            names = [cell_text(name).strip() for name in next(rows, [])]
            table = [list(map(cell_text, row)) for row in rows if row]
        except csv.Error as problem:
            raise BadBattlesFile(f"{path}: line {rows.line_num}: {problem}") from problem
    if len(names) == 1 and (separator := next((mark for mark in ";\t|" if mark in names[0]), None)):
        raise BadBattlesFile(f"{path}: columns are separated by {separator!r}. Save the file with commas.")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise BadBattlesFile(f"{path}: two columns are named {twice[0]!r}. Keep one.")
    for number, row in enumerate(table):
        if len(row) != len(names):
            raise BadBattlesFile(
                f"{path}: row {number}: {len(row)} fields where the header has {len(names)}. Fix the row."
            )
    return dict(zip(names, map(list, zip(*table, strict=True)), strict=True)) if table else {n: [] for n in names}


def _csv_by_arrow(path: Path) -> Columns | None:
    """What `_csv` reads, several times as quickly; None without pyarrow and where it finds the file at fault, for
    `_csv` to say what is wrong.
    """
    try:
        import pyarrow
        from pyarrow import csv as arrow_csv
    except ImportError:
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file), [])
    plain = [cell_text(name).strip() for name in names]
    if len(plain) < len(NEEDED) or len(set(plain)) < len(plain):
        return None
    # The columns of few texts come as codes: a text is then made once, and not once a row.
    coded = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    types = {name: coded if name.strip() in NEEDED else pyarrow.string() for name in names}
    try:
        table = arrow_csv.read_csv(
            path,
            read_options=arrow_csv.ReadOptions(block_size=ARROW_BLOCK),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    except pyarrow.ArrowInvalid:
        return None
    return {name: _listed(table.column(place), cell_text) for place, name in enumerate(plain)}


def _listed(column: Any, read: Callable[[Any], object] = lambda value: value) -> list[object]:
    """The values of an Arrow column, each as `read` gives it; texts that came as codes are shared by their rows."""
    import numpy as np

    values: list[object] = []
    for chunk in column.chunks:
        if hasattr(chunk, "dictionary") and not chunk.null_count and chunk.indices.type.bit_width == 32:
            texts = np.array(list(map(read, chunk.dictionary.to_pylist())), dtype=object)
            # Arrow's own way to numpy imports pandas, which takes longer than the file.
            codes = np.frombuffer(chunk.indices.buffers()[1], np.int32)[chunk.indices.offset :][: len(chunk)]
            values += texts[codes].tolist()
        else:
            values += map(read, chunk.to_pylist())
    return values


def _jsonl(path: Path) -> Columns:
    records: list[dict[str, object]] = []
    with path.open(encoding="utf-8-sig") as file:
        numbered = ((number, line) for number, line in enumerate(file, start=1) if line.strip())
        while some := list(islice(numbered, LINES)):
            records += _objects(path, some)
    return _columns(records)


def _objects(path: Path, numbered: list[tuple[int, str]]) -> list[dict[str, object]]:
    """The JSON objects of lines with their numbers: read as one list, a quarter of the time, where that works."""
    lines = [line.strip() for _, line in numbered]
    records: list[dict[str, object]] = []
    if all(line[0] == "{" and line[-1] == "}" for line in lines):
        try:
            records = json_value("[" + ",".join(lines) + "]")
        except json.JSONDecodeError:
            records = []  # one of the lines is at fault: below it is named
    if len(records) == len(lines) and all(isinstance(record, dict) for record in records):
        return records
    return [_object(path, number, line) for number, line in numbered]


def _object(path: Path, number: int, line: str) -> dict[str, object]:
    try:
        record = json_value(line)
    except json.JSONDecodeError as problem:
        raise BadBattlesFile(f"{path}: line {number}: {problem}") from problem
    if not isinstance(record, dict):
        raise BadBattlesFile(f"{path}: line {number}: not a JSON object. Write one battle per line.")
    return record


def _json(path: Path) -> Columns:
    """The columns of a JSON list: PandaLM's test set, or one object for each battle."""
    try:
        rows = json_value(path.read_text(encoding="utf-8-sig"))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("not a list of objects, one for each battle. Give other battles as .jsonl")
        return pandalm.pandalm_columns(rows) if pandalm.reads(rows) else _columns(rows)
    except ValueError as problem:
        raise BadBattlesFile(f"{path}: {problem}") from problem


def _columns(records: list[dict[str, object]]) -> Columns:
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def _parquet(path: Path) -> Columns:
    try:
        from pyarrow import parquet
    except ImportError as problem:
        raise BadBattlesFile(f"{path}: reading Parquet needs pyarrow. Run: pip install pyarrow") from problem
    from pyarrow import ArrowException, types

    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
        if twice := [name for name in schema.names if schema.names.count(name) > 1]:
            raise BadBattlesFile(f"{path}: two columns are named {twice[0]!r}. Keep one.")
        texts = [name for name in NEEDED if name in schema.names and types.is_string(schema.field(name).type)]
        with parquet.ParquetFile(path, read_dictionary=texts) as file:  # a text is then made once, not once a row
            table = file.read()
        return {name: _listed(table[name]) for name in table.column_names}
    except (ArrowException, ValueError, OverflowError) as problem:  # values that Python has no type for
        raise BadBattlesFile(f"{path}: {problem}") from problem
