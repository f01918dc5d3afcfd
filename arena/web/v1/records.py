"""Pages of votes, battles, models, prompt sets and seals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from fastapi import HTTPException

from arena.config import AnyModel
from arena.leaderboards.leaderboard import Published
from arena.rules.pii import PIIRedactor
from arena.store import Session
from arena.store.ledger import as_sealed, sealed_votes, seals
from arena.store.models import registration_times
from arena.store.prompts import prompt_sets
from arena.store.query_filters import VoteSelection
from arena.store.shared_battles import battle_id, public_battles
from arena.web.v1.replies import Page


def votes(session: Session, after: int, limit: int, source: str | None) -> Page:
    """A page of the votes that count, as they are sealed, by number."""
    selection = VoteSelection(source or None, counting=True)
    page = list(islice(sealed_votes(session, after, selection, page_size=limit + 1), limit + 1))
    rows = [vote.to_dict() for vote in page[:limit]]
    return Page(rows, "votes", next_after=_next_after(page, limit, lambda vote: vote.vote))


def battles(
    session: Session, after: str, limit: int, *, model: str | None, category: str | None, judged: bool
) -> Page:
    """A page of readable battles, the oldest first, each with all its votes; personal data is redacted."""
    start = battle_id(session, after) if after else 0
    if start is None:
        raise HTTPException(422, f"after: battle {after!r} not found. Leave out after for the first page.")
    page = public_battles(session, start, limit + 1, model=model, category=category, judged=judged)
    redact = PIIRedactor()
    rows = [
        {
            "battle": battle.public_id,
            "model_a": battle.model_a,
            "model_b": battle.model_b,
            "created_at": as_sealed(battle.created_at),
            "categories": list(battle.categories),
            "conversation_a": redact.conversation(battle.conversation_a),
            "conversation_b": redact.conversation(battle.conversation_b),
            "votes": [asdict(vote) for vote in battle.votes],
        }
        for battle in page[:limit]
    ]
    return Page(rows, "battles", next_after=_next_after(page, limit, lambda battle: battle.public_id))


def models(session: Session, published: Published, configured: tuple[AnyModel, ...]) -> Page:
    """Every registered model with its place on the leaderboard and its facts from the settings."""
    since = registration_times(session)
    facts = {model.name: _facts(model) for model in configured}
    rows = [
        {
            **row,
            "registered_at": as_sealed(since[row["model"]]) if row["model"] in since else None,
            **facts.get(row["model"], _NOTHING),
        }
        for row in published.board.to_dict()["models"]
    ]
    return Page(rows, "models", {"source": published.source, "category": published.category})


FACTS = (
    "organisation", "licence", "parameters", "context", "energy", "variants_tested", "listed", "retired",
    "retired_reason", "released", "url",
)  # fmt: skip
_NOTHING: Mapping[str, Any] = dict.fromkeys((*FACTS, "prompt_price", "completion_price"))


def _facts(model: AnyModel) -> dict[str, Any]:
    facts = dict(model.facts)
    price = model.price
    return {
        **{name: _plain(facts.get(name)) for name in FACTS},
        "prompt_price": price.prompt if price else None,
        "completion_price": price.completion if price else None,
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def sets(session: Session) -> Page:
    """The prompt sets without their texts, which may not be free."""
    return Page([asdict(prompt_set) for prompt_set in prompt_sets(session)], "prompt_sets")


def chain(session: Session, after: int, limit: int) -> Page:
    """A page of seals."""
    page = seals(session, after, limit + 1)
    rows = [seal.to_dict() for seal in page[:limit]]
    return Page(rows, "seals", next_after=_next_after(page, limit, lambda seal: seal.number))


def _next_after(page: list[Any], limit: int, key: Any) -> str | None:
    """The key that the next page begins after, if there is one."""
    return str(key(page[limit - 1])) if len(page) > limit else None
