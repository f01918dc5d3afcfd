"""The reviews that stand, as rows for other programs: without names of reviewers."""

from __future__ import annotations

from typing import Any

from arena.store import Session
from arena.store.ledger import as_sealed
from arena.store.reviews import reviews


def exported_reviews(session: Session) -> list[dict[str, Any]]:
    """One row for each review that stands, in order; the choice is in the sides of the battle."""
    return [
        {
            "battle": review.public_id,
            "reviewer": review.reviewer,
            "choice": review.winner,
            "created_at": as_sealed(review.at),
        }
        for review in reviews(session)
    ]
