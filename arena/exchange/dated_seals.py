"""The timestamps of an arena's seals in a folder, and a timestamp against an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arena.errors import ConfigError
from arena.exchange.findings import Findings
from arena.exchange.timestamps import (
    Calendars,
    block_problems,
    calendar_client,
    read_proof,
    stamp,
    upgrade,
)
from arena.rules.seals import Seal

BLOCK_CLOCK = (
    3 * 3600
)  # seconds by which the time of a block may be early: its miner's clock, within Bitcoin's rules
RECENT = 50  # proofs that are looked at again: a calendar needs hours, and an arena seals every hour


@dataclass
class Dated:
    """What a run did: the new proof, proofs that have a block now, and what failed, in words."""

    new: Path | None = None
    complete: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    missing: bool = False  # the last seal has no proof: no calendar has answered


def date_seals(
    folder: Path,
    last: Seal | None,
    calendars: Sequence[str],
    client: Calendars | None = None,
) -> Dated:
    """Complete the pending proofs in a folder, and have the last seal dated. Raises `ConfigError`, `BadTimestamp`.

    The chain dates every older seal with it, so seals that were missed while no network was there are dated, too.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigError(f"{folder} cannot be made ({problem.strerror}). Choose another folder.") from problem
    dated, asking = Dated(), client or calendar_client()
    for path in _pending(folder):
        problems, is_complete = upgrade(path, asking, calendars)
        dated.problems += problems
        if is_complete:
            dated.complete.append(path)
    if last is not None and not (path := folder / f"seal-{last.number:08d}.ots").exists():
        problems, dated.missing = stamp(last.sha256, path, asking, calendars)
        dated.problems += problems
        dated.new = None if dated.missing else path
    return dated


def _pending(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("seal-*.ots"))[-RECENT:]:
        if not read_proof(path).blocks:
            yield path


def check_timestamp(
    findings: Findings,
    chain: Sequence[Mapping[str, Any]],
    path: Path,
    explorer: str | None = None,
    client: Calendars | None = None,
) -> None:
    """Whether a proof dates a seal of an export, and by which blocks. Raises `BadTimestamp`."""
    proof = read_proof(path)
    sealed = next((row for row in chain if row["sha256"] == proof.digest), None)
    if sealed is None:
        findings.problems.append(f"{path.name}: dates {proof.digest}, which is no seal of this export")
        return
    seal = sealed["number"]
    if not proof.pending and not proof.blocks:
        findings.problems.append(f"{path.name}: names neither a calendar nor a Bitcoin block, so it dates nothing")
    findings.not_covered += [
        f"seal {seal}: {url} has promised a block" for url in proof.pending if not proof.blocks
    ]
    if explorer is None:
        findings.not_covered += [
            f"seal {seal}: Bitcoin block {block.height} must have the Merkle root {block.root}; see it, or pass --blocks"
            for block in proof.blocks
        ]
        return
    problems, times = block_problems(proof, explorer.rstrip("/"), client or calendar_client())
    findings.problems += [f"{path.name}: {problem}" for problem in problems]
    stated = datetime.fromisoformat(sealed["sealed_at"])
    findings.problems += [
        f"seal {seal}: sealed_at is {stated:%Y-%m-%d %H:%M}, later than Bitcoin block {height}, which has its hash"
        for height, seconds in times.items()
        if stated.timestamp() > seconds + BLOCK_CLOCK
    ]
    findings.dated += [
        f"seal {seal}: before {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC, by Bitcoin block {height}"
        for height, seconds in times.items()
    ]
