"""The reply cache: a file with one line of JSON for each finished call, appended and never changed.

Runs resume from it: a reply is found by the key of its request. A failure is recorded, counted, and never found.
A line that a crash cut short is dropped when the cache is opened; everything before it counts.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from arena.endpoints.endpoint import Reply
from arena.engine.calls import Status
from arena.errors import InputError, WorkFailed

# A line begins `{"key":"<64 hex>","status":"ok",…`, so that opening a cache need not parse it.
KEY = slice(len(b'{"key":"'), len(b'{"key":"') + 64)
OK_MARK = b'","status":"ok"'
OK_AT = slice(KEY.stop, KEY.stop + len(OK_MARK))
SYNC_EVERY = 1.0  # seconds of work that a power cut may cost; a killed process loses nothing
encoded = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":")
).encode  # built once: dumps() builds one per call


class ReplyCacheError(InputError):
    """The reply cache cannot be used; the text says what to do."""


class ReplyCacheBroken(ReplyCacheError, WorkFailed):
    """The reply cache cannot be extended; earlier entries are saved."""


@dataclass(frozen=True)
class Entry:
    """A finished call. `seconds` and `cost` (USD) include its earlier attempts."""

    key: str
    status: Status
    model: str
    reply: Reply | None = None
    detail: str = ""
    attempts: int = 1
    seconds: float = 0.0
    cost: float | None = None
    at: float = field(default_factory=time.time)  # when it finished, in seconds since 1970 (UTC)


class ReplyCache:
    """The entries of the file `path`, by key. One process at a time; `close` when done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[bytes, int] = {}  # key to the offset of its line
        self.failures: Counter[Status] = Counter()
        with ExitStack() as opened:
            self._lock(opened)
            self._file = opened.enter_context(path.open("ab", buffering=0))
            self._reader = opened.enter_context(path.open("rb"))
            self._end = self._read()
            self._opened = opened.pop_all()
        self._synced = time.monotonic()
        self._flusher = ThreadPoolExecutor(1, "arena-reply-cache")
        self._syncing: Future[None] | None = None

    def __enter__(self) -> ReplyCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """The number of replies."""
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        """Whether the cache has the request; a text that is no key, such as one of another program, is in none."""
        try:
            return bytes.fromhex(key) in self._places
        except ValueError:
            return False

    def reply(self, key: str) -> Reply | None:
        """The reply to the request with this key, or None."""
        place = self._places.get(bytes.fromhex(key))
        if place is None:
            return None
        reply: Reply = self._line(place)["reply"]
        return reply

    def finished_at(self, key: str) -> float | None:
        """When the reply to this request came, in seconds since 1970; None for a line of an older version."""
        place = self._places.get(bytes.fromhex(key))
        at = None if place is None else self._line(place).get("at")
        return float(at) if at is not None else None

    def forget(self) -> None:
        """Find no reply of earlier runs any more; their lines stay, and replies to come are found."""
        self._places.clear()

    def append(self, entry: Entry) -> None:
        """Write one entry, which from then on survives the end of this process."""
        record: dict[str, Any] = {"key": entry.key, "status": entry.status.value, "model": entry.model}
        if entry.reply is not None:
            record["reply"] = entry.reply
        if entry.detail:
            record["detail"] = entry.detail
        record |= {"attempts": entry.attempts, "seconds": round(entry.seconds, 3), "cost": entry.cost}
        record["at"] = round(entry.at, 3)
        line = encoded(record).encode("utf-8", "replace") + b"\n"
        try:
            written = self._file.write(line)
        except OSError as error:
            raise ReplyCacheBroken(
                f"{self.path}: {error.strerror}. Earlier entries are saved. Free disk space and run again."
            ) from error
        if written != len(line):
            raise ReplyCacheBroken(
                f"{self.path}: the disk is full. Earlier entries are saved. Free disk space and run again."
            )
        self._note(line, self._end)
        self._end += len(line)
        if time.monotonic() - self._synced > SYNC_EVERY:
            self._sync_in_background()

    def close(self) -> None:
        """Idempotent."""
        if not self._file.closed:
            self._flusher.shutdown()  # waits for the running flush
            os.fsync(self._file.fileno())
        self._opened.close()

    def _lock(self, opened: ExitStack) -> None:
        lock_path = Path(f"{self.path}.lock")
        lock = FileLock(lock_path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and not self.path.is_file():
                raise ReplyCacheError(f"{self.path} is no file. Use --reply-cache FILE.")
            lock_path.touch()  # FileLock would wait for a permission that never comes
            lock.acquire(timeout=0)
        except Timeout:
            detail = f"{self.path} is in use by another run. Wait for it, or use --reply-cache FILE."
            raise ReplyCacheError(detail) from None
        except OSError as error:
            detail = f"{self.path} cannot be written ({error.strerror}). Use --reply-cache FILE."
            raise ReplyCacheError(detail) from error
        opened.callback(lock.release)

    def _sync_in_background(self) -> None:
        """Flush to disk in a thread. Raises the error of the previous flush."""
        if self._syncing is not None:
            if not self._syncing.done():
                return
            self._syncing.result()
        self._syncing = self._flusher.submit(os.fsync, self._file.fileno())
        self._synced = time.monotonic()

    def _line(self, place: int) -> dict[str, Any]:
        self._reader.seek(place)
        record: dict[str, Any] = json.loads(self._reader.readline())
        return record

    def _read(self) -> int:
        """Index all lines, cut off an incomplete last one, and return the offset of the next line."""
        place = 0
        for number, line in enumerate(self._reader, 1):
            if not line.endswith(b"\n"):
                self._file.truncate(place)
                break
            if not line.startswith(b'{"key":"'):
                raise ReplyCacheError(f"{self.path}:{number} is no line of a reply cache. Use --reply-cache FILE.")
            self._note(line, place)
            place += len(line)
        return place

    def _note(self, line: bytes, place: int) -> None:
        if line[OK_AT] == OK_MARK:
            self._places[bytes.fromhex(line[KEY].decode())] = place
        else:
            status = line[KEY.stop + len(b'","status":"') :].split(b'"', 1)[0].decode()
            self.failures[Status(status)] += 1
