"""`arena export --format arena`: votes, seals and leaderboards in one folder that can be verified by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena import __version__
from arena.config.given_files import digest
from arena.exchange.export_boards import ExportBoards, vote_of
from arena.exchange.files import MANIFEST, SET_ASIDE, fresh_folder, write_json, write_rows
from arena.exchange.rows import arena_rows
from arena.exchange.signature_check import write_signature
from arena.leaderboards.vote_filters import EVERY, find_filter
from arena.rules.model_states import is_private
from arena.rules.pii import PIIRedactor, pii_redactor
from arena.rules.set_aside import AsideVotes
from arena.rules.signed_heads import Signer
from arena.store import Database, Session
from arena.store.ledger import as_sealed, last_seal, seals
from arena.store.models import registration_times
from arena.store.schema.battles import now
from arena.store.set_aside import asides

FORMAT = "arena-export-1"


@dataclass(frozen=True)
class Exported:
    """The counts of an export."""

    path: Path
    votes: int
    unsealed: int
    with_text: int
    seals: int
    boards: int
    redacted: Mapping[str, int]


def export_arena(
    database: Database,
    out: Path,
    *,
    parquet: bool = False,
    patterns: Mapping[str, str] | None = None,
    version: str = EVERY,
    show_judged: bool = True,
    force: bool = False,
    signer: Signer | None = None,
) -> Exported:
    """Write everything that may be published. Raises `ConfigError` if `out` exists.

    Texts are those of shared battles, and of judges' battles with `show_judged`; the others have their votes only.
    `version` is the filter of the leaderboards where no seal names one. `signer` signs the manifest and the head.
    """
    redact = pii_redactor(patterns)
    with fresh_folder(out, force) as folder, database.read() as session:
        ending = "parquet" if parquet else "jsonl"
        counts = _write(session, folder, redact, ending, version, show_judged)
        if signer is not None:
            write_signature(folder, last_seal(session), signer)
    redacted = counts.pop("screened")
    return Exported(out, redacted=redacted, **counts)


def _write(
    session: Session, folder: Path, redact: PIIRedactor, ending: str, version: str, show_judged: bool
) -> dict[str, Any]:
    chain = seals(session)
    aside = [row.to_dict() for row in asides(session)]
    boards = ExportBoards(find_filter(chain[-1].filter if chain else version), AsideVotes(aside))
    counts = {"votes": 0, "unsealed": 0, "with_text": 0}
    places = [(seal.last_vote, seal.number) for seal in chain]
    last = chain[-1].last_vote if chain else 0

    def counting() -> Iterator[dict[str, Any]]:
        for row in arena_rows(session, redact, places, show_judged=show_judged):
            boards.add(vote_of(row), row)
            counts["votes"] += 1
            counts["unsealed"] += row["vote"] > last
            counts["with_text"] += row["conversation_a"] is not None
            yield row

    models = [
        {"model": name, "created_at": as_sealed(moment)} for name, moment in registration_times(session).items()
    ]
    rows = {
        f"battles.{ending}": write_rows(folder / f"battles.{ending}", counting()),
        "seals.jsonl": write_rows(folder / "seals.jsonl", (seal.to_dict() for seal in chain)),
        "models.jsonl": write_rows(folder / "models.jsonl", models),
    }
    if aside:
        rows[SET_ASIDE] = write_rows(folder / SET_ASIDE, aside)
    published = list(boards.published([row["model"] for row in models if not is_private(row["model"])]))
    write_json(folder / "boards.json", published)
    rows["boards.json"] = len(published)
    totals = {**counts, "seals": len(chain), "boards": len(published), "screened": dict(redact.counts)}
    _write_manifest(folder, chain[-1].sha256 if chain else None, totals, rows)
    return totals


def _write_manifest(folder: Path, head: str | None, totals: Mapping[str, Any], rows: Mapping[str, int]) -> None:
    """Write the hash of the last seal, the counts, and the SHA-256 and number of rows of each file."""
    files = {name: {"sha256": digest(folder / name), "rows": number} for name, number in rows.items()}
    write_json(
        folder / MANIFEST,
        {
            "format": FORMAT,
            "made_at": as_sealed(now()),
            "made_by": f"arena {__version__}",
            "head": head,
            **totals,
            "files": files,
        },
    )
