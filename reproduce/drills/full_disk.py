"""Fill the disk of a running arena under votes, and free it after 8 seconds. Needs root, for a small tmpfs.

python -m reproduce.drills.full_disk
"""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arena.store import Database
from reproduce.drills.outage import drill

SIZE = "24m"  # more than the arena needs in the drill
FULL = 8.0  # seconds
BLOCK = b"\0" * 4096


@contextmanager
def small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="arena-disk-") as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


def fill(database: Database) -> None:
    """Take every free block, again and again: a checkpoint of the log may free some."""
    ballast = Path(database.file or "").with_name("ballast")
    end = time.monotonic() + FULL
    with ballast.open("wb", buffering=0) as file:
        while time.monotonic() < end:
            try:
                file.write(BLOCK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                time.sleep(0.05)
    ballast.unlink()


def main() -> int:
    with small_disk() as disk, tempfile.TemporaryDirectory(prefix="arena-drill-") as folder:
        return drill("Disk of an SQLite file full", f"sqlite:///{disk / 'arena.db'}", Path(folder), fill)


if __name__ == "__main__":
    sys.exit(main())
