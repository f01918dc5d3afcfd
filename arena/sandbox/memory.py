"""Memory that a process and all its descendants hold, read from outside of their jail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
HELD = ("RssAnon:", "RssShmem:")  # in kilobytes; pages of files can be dropped at any time


def held(process: int) -> int:
    """Bytes of anonymous and shared memory. Pages that forked processes share count once for each."""
    return sum(map(_held, descendants(process)))


def descendants(process: int) -> Iterator[int]:
    """The process and all that it and its children started. A process that ends meanwhile is left out."""
    left = [process]
    while left:
        yield (current := left.pop())
        try:
            for thread in (PROC / str(current) / "task").iterdir():
                left += map(int, (thread / "children").read_text().split())
        except (OSError, ValueError):
            continue


def _held(process: int) -> int:
    try:
        lines = (PROC / str(process) / "status").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(HELD))
