"""Files of an export, read line by line, and written as a careful forger writes them."""

from __future__ import annotations

import json
from pathlib import Path

from arena.config.given_files import digest


def rows(folder: Path, name: str = "battles.jsonl") -> list[dict]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def boards(folder: Path) -> list[dict]:
    return json.loads((folder / "boards.json").read_text())


def rewrite(folder: Path, name: str, value) -> None:
    """Write a file, and a manifest with its hash, its rows and the counts."""
    text = json.dumps(value) if name == "boards.json" else "".join(json.dumps(row) + "\n" for row in value)
    (folder / name).write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": digest(folder / name), "rows": len(value)}
    if name == "battles.jsonl":
        manifest["votes"] = len(value)
        manifest["unsealed"] = sum(row["seal"] is None for row in value)
        manifest["with_text"] = sum(row["conversation_a"] is not None for row in value)
    if name == "boards.json":
        manifest["boards"] = len(value)
    if name == "seals.jsonl":
        manifest["head"] = value[-1]["sha256"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
