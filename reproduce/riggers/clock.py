"""The clock of a simulated month: the riggers set it, and an arena in another process reads it.

    python -m reproduce.riggers.clock FILE serve --port 0

runs `arena serve` by this clock. Everything that the arena stores or limits takes its time from
`arena.store.schema.battles.now`; timeouts and streams keep the real one.
"""

from __future__ import annotations

import mmap
import struct
import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

SIZE = 8


class Clock:
    """Seconds since 1970 in a file that two processes share."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(SIZE))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), SIZE)

    def set(self, seconds: float) -> None:
        self._map[:SIZE] = struct.pack("<d", seconds)

    def read(self) -> float:
        return float(struct.unpack("<d", self._map[:SIZE])[0])


def serve_by(clock: Clock, arguments: list[str]) -> None:
    """Run the command line by this clock."""
    from arena.store.schema import battles

    class Simulated(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(clock.read(), tz or UTC)

    battles.datetime = Simulated  # type: ignore[misc, attr-defined]
    from arena.cli import main

    sys.argv = ["arena", *arguments]
    main()


if __name__ == "__main__":
    serve_by(Clock(Path(sys.argv[1])), sys.argv[2:])
