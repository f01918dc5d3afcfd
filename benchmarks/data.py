"""The rows of a task: from a folder, checked by SHA-256, or from the hub at a pinned revision.

Every error names the file, the line where there is one, and the cure.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.addresses import Way, address
from benchmarks.errors import BadData, MissingExtra
from benchmarks.parquet import parquet_rows
from benchmarks.task import Row, Source, Task

SPLITS = ("test", "dev")  # some authors end a file's name with its split: sentences.txt.test
RECORD = "fetched.json"  # in a data folder: the SHA-256 of each file that `arena bench fetch` wrote
SUBFOLDERS = ("", "benchmarks")  # a data folder may hold the files themselves or one level down


@dataclass(frozen=True)
class DataSources:
    """Where rows come from. Without `verify_checksum` a file with a different SHA-256 is accepted."""

    folder: Path | None = None
    hub: bool = True
    verify_checksum: bool = True


def task_rows(task: Task, data_sources: DataSources) -> dict[str, list[Row]]:
    """All rows of `task`, by role. Raises `BadData`, `MissingExtra`."""
    return {role: rows(sources, data_sources) for role, sources in task.sources.items()}


def rows(sources: Sequence[Source], data_sources: DataSources) -> list[Row]:
    """The rows of several files, in order. Raises `BadData`, `MissingExtra`."""
    read_rows: list[Row] = []
    for source in sources:
        path = find(source, data_sources.folder)
        if path is not None:
            read = read_file(path, _expected(source, path, data_sources))
        elif source.hub is not None and source.revision is not None and data_sources.hub:
            read = hub_rows(source)
        else:
            raise BadData(_not_found(source, data_sources.folder))
        check_columns(read, source)
        read_rows += read
    return read_rows


def find(source: Source, folder: Path | None) -> Path | None:
    """The path of the file: as named, or below `folder`; None if it does not exist."""
    own = Path(source.file)
    if own.is_absolute() or (source.sha256 is None and own.is_file()):
        return own
    candidates = [folder / subfolder / source.file for subfolder in SUBFOLDERS] if folder is not None else []
    return next((path for path in candidates if path.is_file()), None)


def recorded(folder: Path) -> dict[str, dict[str, str]]:
    """The entries of the files that were fetched into `folder`, by file, each with its `sha256`.

    Raises `BadData` for a broken record.
    """
    path = folder / RECORD
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {file: {"sha256": entry["sha256"], **entry} for file, entry in entries.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadData(
            f"{path}: The record is not valid ({error!r}). Delete it, and fetch the files again."
        ) from error


def _expected(source: Source, path: Path, data_sources: DataSources) -> str | None:
    """The SHA-256 that a file must have: that of its fetched rows, or of the published file; None if any will do."""
    if source.sha256 is None or not data_sources.verify_checksum:
        return None
    folder = data_sources.folder
    if folder is not None and path == folder / source.file:
        return recorded(folder).get(source.file, {}).get("sha256", source.sha256)
    return source.sha256


def read_file(path: Path, sha256: str | None = None) -> list[Row]:
    """The rows of a .jsonl, .json, .csv, .tsv or .txt file, or one of these with .gz, or of a .parquet file.

    Raises `BadData`, `MissingExtra`.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe may never end
            raise BadData(f"{path}: It is a folder, a pipe or a device. Give the path of a file.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadData(f"{path}: File not found. Give the path of a JSONL, JSON or CSV file.") from None
    except OSError as error:
        raise BadData(f"{path}: The file cannot be read ({error.strerror}). Check its permissions.") from error
    if sha256 is not None and (digest := hashlib.sha256(content).hexdigest()) != sha256:
        raise BadData(
            f"{path}: The SHA-256 is {digest}, but the task was made for {sha256}. Download the "
            "file again, or accept this version with --no-verify-checksum."
        )
    if path.suffix == ".parquet":
        marks = {"_file": path.stem, "_path": str(path)}
        read = [{**row, **marks, "_line": number} for number, row in enumerate(parquet_rows(path), 1)]
    else:
        read = [dict(row) for row in parsed(path, _text(path, content))]
    if not read:
        raise BadData(f"{path}: The file has no rows. Download it again.")
    return list(read)


def parsed(path: Path, text: str) -> Iterator[Row]:
    """Rows with `_file` (its name without endings) and `_line`."""
    name = path.name.removesuffix(".gz")
    for split in SPLITS:
        name = name.removesuffix(f".{split}")
    kind = name.rpartition(".")[2]
    stem = name.removesuffix(f".{kind}")
    if kind == "jsonl":
        numbered = _lines(path, text)
    elif kind == "json":
        numbered = _objects(path, text)
    elif kind in ("csv", "tsv"):
        numbered = _csv(path, text, "\t" if kind == "tsv" else ",")
    elif kind == "txt":
        numbered = iter([(1, {"text": text})] if text.strip() else [])
    else:
        raise BadData(
            f"{path}: File type {kind!r} is not supported. Use .jsonl, .json, .csv, .tsv or .txt, also with .gz."
        )
    for line, row in numbered:
        yield {**row, "_file": stem, "_line": line, "_path": str(path)}


def check_columns(read: Sequence[Row], source: Source) -> None:
    """Raises `BadData` for the first row without a column that the task needs."""
    for row in read:
        for column in source.columns:
            if column not in row:
                there = ", ".join(name for name in row if not name.startswith("_")) or "none"
                raise BadData(
                    f"{location(row)}: has no column {column!r}; it has: {there}. Rename the column, or use the "
                    f"file that the task was made for ({source.file})."
                )


def location(row: Row) -> str:
    """The file and line of a row, for messages."""
    return f"{row.get('_path', 'row')}:{row.get('_line', '?')}"


def hub_rows(source: Source) -> list[Row]:
    """The rows from the hub, through `datasets`. Raises `BadData`, `MissingExtra`."""
    try:
        import datasets
    except ImportError as error:
        raise MissingExtra(
            f"{source.file} is not in the data folder, and the hub needs the extra 'bench'. "
            "Install it: pip install 'arena[bench]'."
        ) from error
    dataset, _, configuration = str(source.hub).partition(":")
    try:
        if not _reachable(dataset):
            _stay_offline()
        table = datasets.load_dataset(dataset, configuration or None, split=source.split, revision=source.revision)
    # No network, an unknown revision, a gated data set.
    except _hub_errors() as error:
        reason = " ".join(str(error).split())[:300]
        raise BadData(
            f"{source.hub} at revision {source.revision} cannot be downloaded ({type(error).__name__}: "
            f"{reason}). Without a network, put {source.file} into a folder and set ARENA_DATA_DIR to it."
        ) from error
    named = f"{source.hub}@{str(source.revision)[:8]}"
    file = Path(source.file).name.partition(".")[0]
    return [{**row, "_file": file, "_line": n, "_path": named} for n, row in enumerate(table, 1)]


def _reachable(dataset: str) -> bool:
    """Whether the hub replies: `datasets` alone would retry for half a minute before it uses its cache."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        HfApi().dataset_info(dataset, timeout=10)
    except HfHubHTTPError:
        return True  # the hub replied: `load_dataset` raises the reason
    except _hub_errors():
        return False
    return True


def _stay_offline() -> None:
    """Use the hub's cache without retries for the rest of this process."""
    import datasets
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True


def _hub_errors() -> tuple[type[Exception], ...]:
    """The exceptions of the hub. Those of its HTTP client (`httpx`, then `httpx2`) are not an `OSError`."""
    clients = (sys.modules.get(name) for name in ("httpx", "httpx2"))
    return (OSError, ValueError, RuntimeError, *(client.HTTPError for client in clients if client is not None))


def _not_found(source: Source, folder: Path | None) -> str:
    problem = f"The file is not below {folder}" if folder is not None else "No data folder is set"
    cure = (
        "Put it there"
        if folder is not None
        else "Set ARENA_DATA_DIR to the folder that has the file, or give --data"
    )
    if address(source).way is not Way.BY_HAND:
        cure = f"Run `arena bench fetch` with the task's name. {cure}"
    hub = f", or download it from the hub ({source.hub})" if source.hub and source.revision else ""
    return f"{source.file}: {problem}. {cure}{hub}."


def _text(path: Path, content: bytes) -> str:
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise BadData(f"{path}: The gzip file is not complete ({error}). Download it again.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadData(
            f"{path}:{line}: The file is not UTF-8 (byte {error.start}, 0x{content[error.start]:02x}). Convert "
            f"it, for example: iconv -f latin1 -t utf-8 {path.name}."
        ) from error


def _lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = _json(line)
        except ValueError as error:
            raise BadData(
                f"{path}:{number}: The line is not JSON ({error}). Give one JSON object per line."
            ) from error
        if not isinstance(row, dict):
            raise BadData(f"{path}:{number}: The line is a {type(row).__name__}. Give one JSON object per line.")
        yield number, row


def _json(text: str) -> Any:
    """The value. Raises `json.JSONDecodeError`, also for nesting and numbers that Python refuses."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError) as error:
        raise json.JSONDecodeError(f"{type(error).__name__}: {error}"[:80], text, 0) from error


def _objects(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The entries of a list, or one object as a single row; `_line` is the number of the entry."""
    if not text.strip():
        return
    try:
        value = _json(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.colno == 1:  # a first line that is whole: JSON lines, called .json
            yield from _lines(path, text)
            return
        raise BadData(f"{path}:{error.lineno}: The file is not JSON ({error.msg}). Download it again.") from error
    for number, row in enumerate(value if isinstance(value, list) else [value], 1):
        if not isinstance(row, dict):
            raise BadData(f"{path}: Entry {number} is a {type(row).__name__}. Give a list of JSON objects.")
        yield number, row


def _csv(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise BadData(
                    f"{path}:{reader.line_num}: The row and the header differ in length. Check the quotes."
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise BadData(f"{path}:{reader.line_num}: The file is not CSV ({error}). Check its quotes.") from error
