"""The manifest of an export against its folder: every file, every key, every count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arena.config.given_files import digest
from arena.exchange.files import MANIFEST, SET_ASIDE, BadExport
from arena.exchange.findings import Findings
from arena.exchange.signature_check import SIGNATURE

KEYS = frozenset(
    (
        "format",
        "made_at",
        "made_by",
        "head",
        "votes",
        "unsealed",
        "with_text",
        "seals",
        "boards",
        "screened",
        "files",
    )
)
ABOUT = frozenset(("sha256", "rows"))  # of each file
FILES = frozenset(("battles", "seals.jsonl", "models.jsonl", "boards.json"))


def file_problems(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Files and keys that are missing, changed, or not of an export."""
    yield from (f"{MANIFEST}: {key} is missing" for key in sorted(KEYS - manifest.keys()))
    yield from (f"{MANIFEST}: {key} is there, and no export has it" for key in sorted(manifest.keys() - KEYS))
    files = manifest["files"]
    for name, about in files.items():
        if Path(name).name != name:
            raise BadExport(f"{MANIFEST}: {name[:80]!r} is not a name of a file in the folder. Export again.")
        if about.keys() != ABOUT:
            yield f"{MANIFEST}: {name} has {', '.join(sorted(about))}; {', '.join(sorted(ABOUT))} follow"
        if not (folder / name).exists():
            yield f"{name}: is in the manifest and missing from the folder"
        elif digest(folder / name) != about["sha256"]:
            yield f"{name}: is not the file that the manifest was made over (its SHA-256 differs)"
    listed = [
        name.removesuffix(".jsonl").removesuffix(".parquet") if _of_battles(name) else name for name in files
    ]
    if sorted(name for name in listed if name != SET_ASIDE) != sorted(FILES):
        yield f"{MANIFEST}: lists {', '.join(sorted(files))}; an export has battles, seals, models and boards, once each"
    for path in sorted(folder.iterdir()):
        if path.name not in files and path.name not in (MANIFEST, SIGNATURE):
            yield f"{path.name}: is in the folder and not in the manifest"


def count_problems(manifest: Mapping[str, Any], found: Findings, rows: Mapping[str, int]) -> Iterator[str]:
    """Counts of the manifest that are not those of the files. `rows` are those of each file, and of rows with text."""
    stated = {name: manifest.get(name) for name in ("votes", "unsealed", "seals", "boards", "with_text")}
    counted = {
        "votes": found.votes, "unsealed": found.unsealed, "seals": rows["seals.jsonl"],
        "boards": rows["boards.json"], "with_text": rows["with_text"],
    }  # fmt: skip
    for name, about in manifest["files"].items():
        stated[f"rows of {name}"] = about.get("rows")
        counted[f"rows of {name}"] = rows.get(name, found.votes)
    for name, number in stated.items():
        if type(number) is not int or number != counted[name]:
            yield f"{MANIFEST}: {name} is {number}, and {counted[name]} follows"


def _of_battles(name: str) -> bool:
    return name in ("battles.jsonl", "battles.parquet")
