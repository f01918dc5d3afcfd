"""The data of a task file: local files by split, or a dataset of the hub."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.benchmarking.lm_eval.task_file import TaskFile
from arena.config.given_files import digest
from arena.errors import ConfigError
from benchmarks.task import Source

FORMATS = ("json", "csv", "parquet")  # dataset_path of local files
SPLIT = "train"  # of files without one
NAMES = (".json", ".jsonl", ".csv", ".tsv", ".parquet")  # also with .gz


def sources(file: TaskFile) -> tuple[dict[str, Sequence[Source]], list[str]]:
    """The sources of the samples and of few-shot examples from another split, and notes. Raises `ConfigError`."""
    values = file.values
    tested = values.get("test_split") or values.get("validation_split")
    if tested is None:
        raise ConfigError(f"{file.path}: test_split: it is missing. Add it, or validation_split.")
    pool = file.examples.split or values.get("training_split") or values.get("validation_split") or tested
    wanted = {"test": tested} | ({"shots": pool} if pool != tested and not file.examples.rows else {})
    options = dict(values.get("dataset_kwargs") or {})
    options.pop("trust_remote_code", None)  # code of a dataset is never run, with and without it
    files = options.pop("data_files", None)
    if "shots" in wanted and isinstance(files, Mapping) and pool not in files and not file.examples.count:
        del wanted["shots"]  # no example is shown
    if files is not None:
        return {role: _local(file, files, split, options) for role, split in wanted.items()}, []
    made: dict[str, Sequence[Source]] = {role: [_hub(file, split, options)] for role, split in wanted.items()}
    pinned = "revision" in options
    notes = [] if pinned else [f"{file.path}: dataset_kwargs has no revision: the data may change between runs."]
    return made, notes


def _local(file: TaskFile, files: Any, split: str, options: Mapping[str, Any]) -> list[Source]:
    path = file.values.get("dataset_path")
    if path not in FORMATS:
        raise ConfigError(f"{file.path}: dataset_path: {path!r} reads no files. Use one of: {', '.join(FORMATS)}.")
    if options:
        raise ConfigError(f"{file.path}: dataset_kwargs: {sorted(options)[0]} is not supported. Remove it.")
    by_split = files if isinstance(files, Mapping) else {SPLIT: files}
    if split not in by_split:
        named = ", ".join(map(str, by_split))
        raise ConfigError(
            f"{file.path}: data_files has no split {split!r}. Name the files of one, or use: {named}."
        )
    given = by_split[split]
    paths = [found for name in ([given] if isinstance(given, str) else given) for found in _found(file, str(name))]
    return [Source(str(path), digest(path)) for path in paths]


def _found(file: TaskFile, name: str) -> list[Path]:
    """The files of a name or pattern, from the task file's folder, else from the working folder."""
    if "://" in name:
        raise ConfigError(f"{file.path}: data_files: {name} is an address. Download it, and name the file.")
    for folder in (file.path.parent, Path()):
        paths = sorted(map(Path, glob.glob(str(folder / name))))
        if paths:
            break
    if not paths:
        raise ConfigError(f"{file.path}: data_files: {name} not found. Name a file next to the task file.")
    for path in paths:
        if not path.name.removesuffix(".gz").endswith(NAMES):
            raise ConfigError(f"{path}: The file's type is not supported. Use one of: {', '.join(NAMES)}.")
    return [path.resolve() for path in paths]


def _hub(file: TaskFile, split: str, options: Mapping[str, Any]) -> Source:
    path, name = file.values.get("dataset_path"), file.values.get("dataset_name")
    if path is None or path in FORMATS:
        raise ConfigError(f"{file.path}: dataset_kwargs: data_files is missing. Name the files of each split.")
    if unknown := sorted(set(options) - {"revision"}):
        raise ConfigError(
            f"{file.path}: dataset_kwargs: {unknown[0]} is not supported. Use data_files or revision."
        )
    hub = f"{path}:{name}" if name else str(path)
    return Source(
        f"{path}/{name or 'default'}/{split}", hub=hub, revision=options.get("revision", "main"), split=split
    )
