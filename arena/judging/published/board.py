"""A board recomputed from stored verdicts: plain rows, and what to tell beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ratings
from arena.judging.published.files import BadVerdictFile
from judges.errors import JudgesError


@dataclass
class Board:
    """Rows for the reader, and notes that belong beside them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    peer: dict[str, Any] | None = None

    def note_unparsed(self, path: Path, unparsed: int) -> None:
        if unparsed:
            self.notes.append(f"{path}: {unparsed} without a readable verdict; left out, not scored")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What is wrong with the verdicts of a file, told with its name."""
    try:
        yield
    except (JudgesError, ratings.RatingsError) as problem:
        raise BadVerdictFile(f"{path}: {problem}") from problem
