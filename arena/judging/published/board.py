"""A board recomputed from stored verdicts: rows and notes."""

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
class RecomputedBoard:
    """Rows of a board, and notes about them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    peer: dict[str, Any] | None = None

    def note_unparsed(self, path: Path, unparsed: int) -> None:
        if unparsed:
            self.notes.append(f"{path}: {unparsed} without a readable verdict, not scored")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A context that prefixes errors in verdicts with the file's name. Raises BadVerdictFile."""
    try:
        yield
    except (JudgesError, ratings.RatingsError) as problem:
        raise BadVerdictFile(f"{path}: {problem}") from problem
