"""What a reply cache says about calls: the reply, and every try that it took, failures included. Nothing is written."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.endpoints.endpoint import Reply
from arena.engine.calls import Status
from arena.engine.reply_cache import KEY


@dataclass(frozen=True)
class SavedCall:
    """A call over all runs that made it. `reply` is that of its last entry; None for a call that failed.

    `seconds` and `cost` (USD; None without a price) are sums over all tries, and `attempts` is their number.
    """

    status: Status
    reply: Reply | None
    detail: str
    attempts: int
    seconds: float
    cost: float | None


class SavedCalls:
    """The calls with these keys in the file `path`, which a run may have open and extend. Close when done."""

    def __init__(self, path: Path, keys: Collection[str]) -> None:
        self._places: dict[bytes, list[int]] = {key.encode(): [] for key in keys}
        self._file = path.open("rb") if path.is_file() else None
        place = 0
        for line in self._file or ():
            if (places := self._places.get(line[KEY])) is not None and line.endswith(b"\n"):
                places.append(place)
            place += len(line)

    def __enter__(self) -> SavedCalls:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __contains__(self, key: str) -> bool:
        """Whether the call was made."""
        return bool(self._places.get(key.encode()))

    def call(self, key: str) -> SavedCall | None:
        """The call of this key; None for one that was not made."""
        entries = [self._entry(place) for place in self._places.get(key.encode(), ())]
        if not entries:
            return None
        last = next((entry for entry in reversed(entries) if entry["status"] == Status.OK), entries[-1])
        costs = [entry["cost"] for entry in entries if entry.get("cost") is not None]
        return SavedCall(
            Status(last["status"]),
            last.get("reply"),
            last.get("detail", ""),
            sum(entry.get("attempts", 1) for entry in entries),
            sum(entry.get("seconds", 0.0) for entry in entries),
            sum(costs) if costs else None,
        )

    def close(self) -> None:
        """Idempotent."""
        if self._file is not None:
            self._file.close()

    def _entry(self, place: int) -> dict[str, Any]:
        assert self._file is not None
        self._file.seek(place)
        entry: dict[str, Any] = json.loads(self._file.readline())
        return entry
