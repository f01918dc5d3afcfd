"""Files of somebody else's given to commands: each must be one error, and no cell of a table a formula."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.target import Target

DEEP = "[" * 100_000
BATTLE = '{"model_a": "x", "model_b": "y", "winner": "tie", "weight": %s, "timestamp": %s}\n'
ROWS = {
    **{name: BATTLE % (name, name) for name in ("Infinity", "NaN", "1e999", "9" * 400, "9" * 5_000)},
    "deep nesting": DEEP, "NUL bytes": "\0" * 64, "half a surrogate pair": BATTLE.replace('"x"', '"\\ud800"') % (1, 1),
}  # fmt: skip
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)")
SECONDS = 30.0  # for a command that should end at once


def unusable_files(target: Target) -> Outcome:
    """`arena rate`, `arena import` and `arena verify` on numbers that are none, nesting, and a pipe that never ends."""
    tries = []
    folder = target.folder / "export"
    folder.mkdir()
    pipe = target.folder / "pipe.jsonl"
    os.mkfifo(pipe)
    for name, text in ROWS.items():
        rows = target.folder / "rows.jsonl"
        rows.write_text(text, encoding="utf-8")
        (folder / "manifest.json").write_text(f'{{"format": {text}', encoding="utf-8")
        for words in (
            ("rate", rows),
            ("import", rows, "--db", f"sqlite:///{target.folder / 'other.db'}"),
            ("verify", folder),
        ):
            tries.append(_broken(f"{words[0]}: {name}", *map(str, words)))
    for words in (("rate", pipe), ("verify", pipe), ("prompts", "import", pipe)):
        tries.append(_broken(f"{words[0]}: a pipe", *map(str, words)))
    return outcome("files that break commands", tries)


def formulas(target: Target) -> Outcome:
    """Names that a spreadsheet would run, through `arena rate --format csv`."""
    file = target.folder / "battles.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(
            [("model_a", "model_b", "winner"), *((name, "plain", "tie") for name in FORMULAS)]
        )
    printed = _arena("rate", str(file), "--format", "csv").stdout
    cells = [row[0] for row in csv.reader(io.StringIO(printed)) if row and row[0] not in ("model", "plain")]
    return outcome(
        "cells that are formulas", [cell if cell[:1] in "=+-@\t\r" else None for cell in cells or ["=none"]]
    )


def _broken(name: str, *words: str) -> str | None:
    """The name if the command shows a traceback, is killed or does not end."""
    try:
        done = _arena(*words)
    except subprocess.TimeoutExpired:
        return f"{name}: does not end"
    return (
        f"{name}: {done.stderr[-60:]}" if "Traceback" in done.stderr or done.returncode not in (0, 1, 2) else None
    )


def _arena(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "arena", *words]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
    )
