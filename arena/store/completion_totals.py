"""What the recent completions of each model came to: failures, latency and tokens, for operators."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from sqlmodel import Session, col, select

from arena.store.models import model_ids
from arena.store.schema.battles import Battle, CompletionRow, CompletionStatus, Turn

MOST = 50_000  # completions that are looked at, so that the page of a large arena opens at once


@dataclass
class CompletionTotals:
    """The completions of one model since a moment."""

    completions: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_tokens: list[float] = field(default_factory=list)  # seconds

    @property
    def failure_rate(self) -> float | None:
        return self.failed / self.completions if self.completions else None

    @property
    def latency(self) -> float | None:
        """The median of seconds to the first token."""
        return median(self.first_tokens) if self.first_tokens else None


def completion_totals(session: Session, since: datetime) -> dict[str, CompletionTotals]:
    """The totals by the name of the model in battles, of the last `MOST` completions at most."""
    row = CompletionRow
    columns = (row.side, row.status, row.prompt_tokens, row.completion_tokens, row.first_token_seconds)
    query = (
        select(*columns, Battle.model_a_id, Battle.model_b_id)  # type: ignore[call-overload]
        .join(Turn, col(Turn.id) == col(row.turn_id))
        .join(Battle, col(Battle.id) == col(Turn.battle_id))
        .where(
            col(row.created_at) >= since, row.status != CompletionStatus.RUNNING, col(Battle.owner).is_not(None)
        )
        .order_by(col(row.id).desc())
        .limit(MOST)
    )
    names, totals = model_ids(session), defaultdict[str, CompletionTotals](CompletionTotals)
    for side, status, prompt, completion, first, a, b in session.execute(query):
        total = totals[names[a if side == "a" else b]]
        total.completions += 1
        total.failed += status == CompletionStatus.FAILED
        total.prompt_tokens += prompt or 0
        total.completion_tokens += completion or 0
        if first is not None:
            total.first_tokens.append(first)
    return dict(totals)
