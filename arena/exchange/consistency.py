"""Two exports of one arena: the newer one must continue the older one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arena.exchange.columns import FIXED
from arena.exchange.export_boards import vote_of
from arena.exchange.files import MANIFEST, BadExport, read_json, read_rows


def battles_file(folder: Path) -> Path:
    """The file of the votes. Raises `BadExport`."""
    names = read_json(folder / MANIFEST)["files"]
    found = next((str(name) for name in names if name.startswith("battles.")), None)
    if found is None:
        raise BadExport(f"{folder} contains no file of battles. Export again.")
    return folder / found


def rewritten(older: Path, newer: Path) -> Iterator[str]:
    """Seals, models and votes of the older export that the newer one has not, or has otherwise."""
    yield from _rewritten_seals(older, newer)
    yield from _rewritten_models(older, newer)
    yield from _rewritten_votes(battles_file(older), battles_file(newer))


def _rewritten_seals(older: Path, newer: Path) -> Iterator[str]:
    now = {row["number"]: row["sha256"] for row in read_rows(newer / "seals.jsonl")}
    for row in read_rows(older / "seals.jsonl"):
        if row["number"] not in now:
            yield f"seal {row['number']}: is in the older export and missing from this one"
        elif now[row["number"]] != row["sha256"]:
            yield f"seal {row['number']}: was {row['sha256']} in the older export, and is {now[row['number']]}"


def _rewritten_models(older: Path, newer: Path) -> Iterator[str]:
    """A model stays registered, and its time of registration is in no seal."""
    now = {row["model"]: row["created_at"] for row in read_rows(newer / "models.jsonl")}
    for row in read_rows(older / "models.jsonl"):
        name, since = row["model"], row["created_at"]
        if now.get(name) != since:
            yield f"models.jsonl: {name} was of {since} in the older export, and is {now.get(name, 'missing')}"


def _rewritten_votes(older: Path, newer: Path) -> Iterator[str]:
    """Both files are read once, side by side, in the order of their votes."""
    rest = iter(read_rows(newer))
    row = next(rest, None)
    for before in read_rows(older):
        while row is not None and row["vote"] < before["vote"]:
            row = next(rest, None)
        name = f"vote {before['vote']}"
        if row is None or row["vote"] != before["vote"]:
            yield f"{name}: is in the older export and missing from this one"
        elif vote_of(row).leaf() != vote_of(before).leaf():
            yield f"{name}: is not as it was in the older export"
        elif changed := [column for column in FIXED if column in before and before[column] != row.get(column)]:
            yield f"{name}: {', '.join(changed)} not as in the older export"
