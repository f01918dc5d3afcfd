"""The data files of the shipped tasks: checksum, rows, licence and origin."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from benchmarks.task import Source


@dataclass(frozen=True)
class KnownFile:
    """`origin` says where it was published, with its commit or version."""

    file: str
    rows: int
    sha256: str
    licence: str
    origin: str


@cache
def known_files() -> dict[str, KnownFile]:
    """The known files by name, as in a data folder."""
    text = files("benchmarks").joinpath("known_files.tsv").read_text(encoding="utf-8")
    return {
        row["file"]: KnownFile(row["file"], int(row["rows"]), row["sha256"], row["licence"], row["source"])
        for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    }


def known(
    file: str, *columns: str, hub: str | None = None, revision: str | None = None, split: str = "test"
) -> Source:
    """The source of a known file with its sha256. Raises KeyError for one that is not listed."""
    return Source(file, known_files()[file].sha256, hub, revision, split, columns)


def own(
    file: str, *columns: str, hub: str | None = None, revision: str | None = None, split: str = "test"
) -> Source:
    """The source of the user's own copy of a file that its publisher does not allow to be redistributed."""
    return Source(file, None, hub, revision, split, columns)
