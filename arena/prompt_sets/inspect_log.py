"""Samples of an inspect_ai log, read by its own reader."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arena.config.given_files import plain_file
from arena.prompt_sets.records import BadPromptFile, Record

INSPECT = "inspect"  # the format's name
SUFFIX = ".eval"
OWN = "arena/"  # the provider of this arena's models in its own runs of inspect's tasks (arena.benchmarking)


def inspect_records(path: Path) -> Iterator[tuple[str, Record]]:
    """The samples of the first epoch, each with its place. Raises `BadPromptFile`, also without inspect_ai."""
    log = _read(path)
    for sample in log.samples or ():
        if sample.epoch == 1:
            yield f"{path}: sample {sample.id}", _record(log, sample)


def _read(path: Path) -> Any:
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as cause:
        raise BadPromptFile(
            f"{path}: a log of inspect_ai needs the extra 'inspect' ({cause}). Run `pip install 'arena[inspect]'`."
        ) from cause
    try:
        return read_eval_log(str(plain_file(path)), resolve_attachments=True)
    except FileNotFoundError:
        raise BadPromptFile(f"{path}: no such file. Check the path.") from None
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, zipfile.BadZipFile) as cause:
        reason = " ".join(str(cause).split())[:200]
        raise BadPromptFile(
            f"{path}: cannot be read as a log of inspect_ai ({reason}). Check the file."
        ) from cause


def _record(log: Any, sample: Any) -> dict[str, Any]:
    """The parts of a sample that a completion consists of; `output` is None without one."""
    values = sample.model_dump(mode="json", include={"input", "target", "messages", "metadata"})
    choices = sample.output.choices
    return {
        **values,
        "sample_id": str(sample.id),
        "model": log.eval.model.removeprefix(OWN),
        "task": log.eval.task,
        "output": choices[0].message.model_dump(mode="json")["content"] if choices and not sample.error else None,
    }
