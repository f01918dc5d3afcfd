"""The columns of a battles file, by what holds their values in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from arena.exchange.export_boards import ESCAPED
from arena.exchange.sealed_columns import GROUPS
from arena.rules.seals import SealedVote

Row = Mapping[str, Any]
LEAF = (
    "question_id", "vote", "model_a", "model_b", "winner", "source", "voter", "stopped_early", "leaked", "timestamp",
    "suggested", "control",
)  # fmt: skip
COMPUTED = ("anony", "tstamp", "seal", "leaf")  # from the leaf and its place in the chain
FIXED = tuple(name for group in GROUPS.values() for name in group)  # by a hash in the seal
# Classified or redacted at the time of the export: the same vote may be published with other values later.
OPEN = (
    "turn", "language", "categories", "conversation_a", "conversation_b", "prompt_id", "dedup_tag", "reason",
)  # fmt: skip
COLUMNS = frozenset((*LEAF, *COMPUTED, *FIXED, *OPEN))
LATER = frozenset(
    {"suggested", "prompt_cluster", "control"}
)  # columns that exports of earlier versions do not have
DIGITS = 16  # of a leaf in its column
_FIELDS = {"question_id": "battle", "timestamp": "created_at"}  # of a vote, where a column has another name


def column_problems(row: Row, vote: SealedVote, seal: int | None) -> Iterator[str]:
    """The columns of a row that are missing, unknown, or do not follow from its vote and its seal."""
    if missing := sorted(COLUMNS - LATER - row.keys()):
        yield f"has no {', '.join(missing)}"
    if unknown := sorted(map(str, row.keys() - COLUMNS)):
        yield f"has {', '.join(unknown)}, which no export has"
    if row.get("leaf", "") != vote.leaf().hex()[:DIGITS]:
        yield "is not as it was when the export was made"
    for name, follows in _following(vote, seal).items():
        if name in row and not _same(row[name], follows):
            yield f"{name} is {row[name]!r:.80}, and {follows!r} follows"


def _following(vote: SealedVote, seal: int | None) -> dict[str, object]:
    """The columns that follow from a vote and its seal, as an export spells them: other readers see the row itself."""
    return {
        **{name: getattr(vote, _FIELDS.get(name, name)) for name in LEAF},
        "winner": ESCAPED.get(vote.winner, vote.winner),
        "anony": True,
        "tstamp": datetime.fromisoformat(vote.created_at).timestamp(),
        "seal": seal,
    }


def _same(given: object, follows: object) -> bool:
    """Whether both are equal and of one type: 1, 1.0, True and "1" are four values."""
    return type(given) is type(follows) and given == follows
