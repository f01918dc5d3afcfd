"""Files of an export: rows as JSONL or Parquet, a manifest, a folder or an archive."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.config.given_files import json_value, plain_file
from arena.errors import ConfigError, InputError

SET_ASIDE = "set_aside.jsonl"  # votes that are on no board, if there are any
MANIFEST = "manifest.json"
WRITTEN = (".json", ".jsonl", ".parquet", ".zip", ".eval")
ROWS_AT_ONCE = 2_000  # in one row group: some megabytes of conversations


class BadExport(InputError):
    """A folder or archive that is not an export, or a broken one; the text says why."""


@contextmanager
def fresh_folder(out: Path, force: bool = False) -> Iterator[Path]:
    """A folder to write to, which becomes `out` (a folder, or an archive if it ends in .zip) at the end.

    Raises `ConfigError` if `out` exists without `force`, or is not an export, and `InputError` if it cannot be
    written.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        if not force:
            raise ConfigError(f"{out} already exists. Choose another --out, or add --force to replace it.")
        if (other := _not_exported(out)) is not None:
            raise ConfigError(f"{out} contains {other}, which is not part of an export. Choose another --out.")
    try:
        with _made_beside(out) as folder:
            yield folder
    except OSError as problem:
        raise InputError(f"{out} cannot be written ({problem.strerror}). Choose another --out.") from problem


def _not_exported(out: Path) -> Path | None:
    """A file that is not part of an export: `--force` must not remove a home folder."""
    files = (file for file in out.rglob("*") if not file.is_dir()) if out.is_dir() else iter([out])
    return next((file for file in files if file.suffix not in WRITTEN), None)


@contextmanager
def _made_beside(out: Path) -> Iterator[Path]:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.stem}-") as made:
        folder = Path(made) / out.stem
        folder.mkdir()
        yield folder
        if out.is_dir():
            shutil.rmtree(out)
        if out.suffix == ".zip":
            packed = shutil.make_archive(str(folder), "zip", made, folder.name)
            Path(packed).replace(out)
        else:
            folder.replace(out)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSONL, or as Parquet by the ending. Returns their number; Parquet without pyarrow is a `ConfigError`."""
    if path.suffix == ".parquet":
        return _write_parquet(path, rows)
    number = 0
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            number += 1
    return number


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file. Raises `BadExport` that names the line."""
    if path.suffix == ".parquet":
        yield from _read_parquet(path)
        return
    with plain_file(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json_value(line.decode(), strict=True)
            except UnicodeDecodeError as problem:
                raise BadExport(
                    f"{path.name}: line {number} is not UTF-8 ({problem.reason}). Export again."
                ) from None
            except json.JSONDecodeError as problem:
                raise BadExport(f"{path.name}: line {number}: {problem.msg}") from problem
            if not isinstance(row, dict):
                raise BadExport(f"{path.name}: line {number}: expected an object")
            yield row


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, readable by people."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file. Raises `BadExport`."""
    try:
        return json_value(plain_file(path).read_text(encoding="utf-8"), strict=True)
    except FileNotFoundError:
        raise BadExport(f"{path.name} is missing. Export again.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise BadExport(f"{path.name}: not valid JSON: {problem}") from problem


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as problem:
        raise ConfigError("Parquet needs pyarrow. Run: pip install 'arena[parquet]'") from problem
    return pyarrow


def _write_parquet(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    arrow = _pyarrow()
    writer, number = None, 0
    batch: list[dict[str, Any]] = []
    schema = _schema(arrow)

    def flush() -> None:
        nonlocal writer
        table = arrow.Table.from_pylist(batch, schema=schema)
        writer = writer or arrow.parquet.ParquetWriter(path, schema, compression="zstd")
        writer.write_table(table)
        batch.clear()

    for row in rows:
        batch.append(dict(row))
        number += 1
        if len(batch) == ROWS_AT_ONCE:
            flush()
    if batch or writer is None:
        flush()
    assert writer is not None
    writer.close()
    return number


def _read_parquet(path: Path) -> Iterator[dict[str, Any]]:
    arrow = _pyarrow()
    try:
        file = arrow.parquet.ParquetFile(plain_file(path))
        names = file.schema_arrow.names
        if twice := [name for name in names if names.count(name) > 1]:
            raise BadExport(f"{path.name}: the column {twice[0]} is there twice. Export again.")
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            yield from batch.to_pylist()
    except arrow.ArrowInvalid as problem:
        raise BadExport(f"{path.name}: {problem}") from problem


def _schema(arrow: Any) -> Any:
    """The columns of a battles file: a column of nulls must keep its type in every batch."""
    from arena.exchange.export_boards import STYLE

    talk = arrow.list_(arrow.struct([("role", arrow.string()), ("content", arrow.string())]))
    text, whole, yes, real = arrow.string(), arrow.int64(), arrow.bool_(), arrow.float64()
    kinds = {
        "question_id": text, "vote": whole, "model_a": text, "model_b": text, "winner": text, "source": text,
        "voter": text, "anony": yes, "turn": whole, "language": text, "categories": arrow.list_(text),
        "tstamp": real, "timestamp": text, "stopped_early": yes, "leaked": yes, "suggested": yes, "control": text,
        "pair_probability": real,
        "conversation_a": talk, "conversation_b": talk, **dict.fromkeys(STYLE, whole), "prompt_id": text,
        "prompt_cluster": text,
        "dedup_tag": arrow.struct([("high_freq", yes), ("sampled", yes)]), "preference": real, "reason": text,
        "seal": whole, "leaf": text,
    }  # fmt: skip
    return arrow.schema(list(kinds.items()))
