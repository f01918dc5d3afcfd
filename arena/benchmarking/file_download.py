"""One file over HTTP: resumed where it was interrupted, checked by SHA-256, and every failure in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from arena.config.given_files import digest
from arena.errors import WorkFailed

TRIES = 4  # of one file, each from where the last one ended
TIMEOUT = 30.0  # seconds without a byte
DENIED = (401, 403)
RETRIED = (408, 429, 500, 502, 503, 504)

Report = Callable[[int, int | None], None]  # (bytes that are there, bytes in all)


@dataclass(frozen=True)
class Download:
    """A file at an address. `denied` says what to do where the server wants permission."""

    url: str
    target: Path
    sha256: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    denied: str = "The address is not public."

    @property
    def part(self) -> Path:
        """The file while it is not whole; it is kept after an interruption."""
        return self.target.with_name(f"{self.target.name}.part")


def download(client: httpx.Client, wanted: Download, report: Report) -> None:
    """Write the file. Raises `WorkFailed` with the reason and what to do; a part that came is kept for the next call."""
    wanted.target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, TRIES + 1):
        try:
            if _receive(client, wanted, report):
                break
            problem = "the server is busy or ended the transfer"
        except httpx.TransportError as error:
            problem = " ".join(str(error).split()) or type(error).__name__
        if attempt == TRIES:
            raise WorkFailed(_unreached(wanted, problem))
    _check(wanted)
    wanted.part.replace(wanted.target)


def _receive(client: httpx.Client, wanted: Download, report: Report) -> bool:
    """Receive the rest of the file. False if the server asks for another try, or ends before the end."""
    there = wanted.part.stat().st_size if wanted.part.is_file() else 0
    headers = {**wanted.headers, "accept-encoding": "identity", **({"range": f"bytes={there}-"} if there else {})}
    with client.stream("GET", wanted.url, headers=headers) as response:
        if response.status_code in RETRIED:
            return False
        if (
            response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
        ):  # no byte is left, or it is another file
            if response.headers.get("content-range", "").endswith(f"/{there}"):
                return True
            wanted.part.unlink()
            return False
        _raise_for(response, wanted)
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        if resumed and not response.headers.get("content-range", "").startswith(f"bytes {there}-"):
            wanted.part.unlink()
            return False
        return _write(response, wanted, there if resumed else 0, report)


def _write(response: httpx.Response, wanted: Download, there: int, report: Report) -> bool:
    length = response.headers.get("content-length")
    total = there + int(length) if length else None
    with wanted.part.open("ab" if there else "wb") as file:
        for chunk in response.iter_raw():  # as it comes: equal pieces would lose the last one of a cut transfer
            file.write(chunk)
            there += len(chunk)
            report(there, total)
    return total is None or there >= total


def _raise_for(response: httpx.Response, wanted: Download) -> None:
    status = response.status_code
    if status in DENIED:
        raise WorkFailed(f"{wanted.url}: The server denies access ({status}). {wanted.denied}")
    if status == httpx.codes.NOT_FOUND:
        raise WorkFailed(
            f"{wanted.url}: Not found (404). The publisher moved or withdrew it. Put a copy at {wanted.target}."
        )
    if not response.is_success:
        raise WorkFailed(
            f"{wanted.url}: The server replied {status}. Try again later, or put a copy at {wanted.target}."
        )


def _unreached(wanted: Download, problem: str) -> str:
    there = wanted.part.stat().st_size if wanted.part.is_file() else 0
    kept = f"{there:,} bytes are kept: run the command again to go on from there" if there else "Check the network"
    host = urlsplit(wanted.url).netloc
    return (
        f"{host} cannot be reached, or the transfer ended ({problem}). {kept}, or download {wanted.url} on another "
        f"machine and put it at {wanted.target}."
    )


def _check(wanted: Download) -> None:
    found = digest(wanted.part)
    if wanted.sha256 is not None and found != wanted.sha256:
        wanted.part.unlink()
        raise WorkFailed(
            f"{wanted.url}: The SHA-256 is {found}, but {wanted.sha256} was expected. The file is damaged or was changed; "
            "it was deleted. Run the command again, and report it if it happens twice."
        )
