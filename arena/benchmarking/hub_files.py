"""The files of a data set of the hub at a pinned revision, and their rows in the format of a task's own file."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from arena.errors import ConfigError, WorkFailed
from benchmarks.parquet import parquet_rows
from benchmarks.task import Source

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class HubFile:
    """A file of a data set. The hub knows the SHA-256 of large files only."""

    path: str
    size: int
    sha256: str | None


def endpoint() -> str:
    """The address of the hub or of its mirror: HF_ENDPOINT."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def authorization() -> dict[str, str]:
    """The header with HF_TOKEN, for gated data sets; empty without one."""
    token = os.environ.get("HF_TOKEN", "").strip()
    return {"authorization": f"Bearer {token}"} if token else {}


def denied(dataset: str) -> str:
    """What to do about a gated data set."""
    page = f"{HUB}/datasets/{dataset}"
    if authorization():
        return f"The data set is gated, and HF_TOKEN has no access. Accept its terms at {page} with its account."
    return f"The data set is gated. Accept its terms at {page}, and set HF_TOKEN to a token of your account."


def file_url(source: Source, path: str) -> str:
    dataset = str(source.hub).partition(":")[0]
    return f"{endpoint()}/datasets/{dataset}/resolve/{source.revision}/{path}"


def files_of(client: httpx.Client, source: Source) -> list[HubFile]:
    """The files with the rows of the source's configuration and split. Raises `WorkFailed`."""
    dataset, _, configuration = str(source.hub).partition(":")
    url: str | None = f"{endpoint()}/api/datasets/{dataset}/tree/{source.revision}?recursive=true"
    entries: list[Mapping[str, Any]] = []
    while url:
        response = _get(client, url, dataset)
        entries += _listed(response)
        url = response.links.get("next", {}).get("url")
    every = [
        HubFile(entry["path"], int(entry.get("size") or 0), (entry.get("lfs") or {}).get("oid"))
        for entry in entries
        if entry.get("type") == "file"
    ]
    chosen = _chosen(every, configuration, source)
    if not chosen:
        raise WorkFailed(
            f"{dataset} at revision {source.revision} has no Parquet, JSONL or CSV file of configuration "
            f"{configuration or 'default'!r} and split {source.split!r}. "
            "Install the extra bench, with which the task reads it: pip install 'arena[bench]'."
        )
    return chosen


def _get(client: httpx.Client, url: str, dataset: str) -> httpx.Response:
    try:
        response = client.get(url, headers=authorization())
    except httpx.TransportError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WorkFailed(
            f"{endpoint()} cannot be reached ({reason}). Check the network, or set HF_ENDPOINT to a mirror."
        ) from error
    if response.status_code in (401, 403):
        raise WorkFailed(f"{dataset}: The hub denies access ({response.status_code}). {denied(dataset)}")
    if response.status_code == httpx.codes.NOT_FOUND:
        raise WorkFailed(
            f"{url}: Not found (404). The data set or this revision of it is gone, or the mirror lacks it."
        )
    if not response.is_success:
        raise WorkFailed(f"{url}: The hub replied {response.status_code}. Try again later.")
    return response


def _listed(response: httpx.Response) -> list[Mapping[str, Any]]:
    """The entries of a list of files. Raises `WorkFailed` for anything else, such as the page of a proxy."""
    try:
        entries = response.json()
    except ValueError:
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "path" in entry for entry in entries):
        raise WorkFailed(
            f"{response.url}: The reply is no list of files. Check HF_ENDPOINT, or a proxy in between."
        )
    return entries


def _chosen(files: Sequence[HubFile], configuration: str, source: Source) -> list[HubFile]:
    by_path = {file.path: file for file in files}
    if source.file.endswith(".csv"):
        return [by_path[path] for path in (f"{configuration}.csv", f"{source.split}.csv") if path in by_path][:1]
    for folder in (f"{configuration}/", f"data/{configuration}/", "data/", ""):
        stem = f"{folder}{source.split}"
        parts = sorted(path for path in by_path if path.startswith(f"{stem}-") and path.endswith(".parquet"))
        whole = [path for path in (f"{stem}.parquet", f"{stem}.jsonl") if path in by_path]
        if parts or whole:
            return [by_path[path] for path in parts or whole[:1]]
    return []


def require_parquet(files: Sequence[HubFile]) -> None:
    """Raises `ConfigError` before a download that could not be read."""
    if not any(file.path.endswith(".parquet") for file in files):
        return
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "The hub has this data as Parquet. Install the extra: pip install 'arena[parquet]'."
        ) from error


def write_rows(paths: Sequence[Path], target: Path) -> None:
    """Write the rows of the downloaded files into `target`, in the format that its name says."""
    if target.suffix == ".csv":
        paths[0].replace(target)
        return
    rows = (row for path in paths for row in _rows(path))
    if target.suffix == ".txt":
        content = "".join(str(row["text"]) for row in rows).encode()
    else:
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    part = target.with_name(f"{target.name}.rows")
    part.write_bytes(gzip.compress(content, mtime=0) if target.suffix == ".gz" else content)
    part.replace(target)


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows without binary columns such as images."""
    if path.suffix == ".parquet":
        rows = parquet_rows(path)
    else:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for row in rows:
        yield {name: value for name, value in row.items() if not _is_binary(value)}


def _is_binary(value: Any) -> bool:
    return isinstance(value, bytes) or (isinstance(value, dict) and any(map(_is_binary, value.values())))
