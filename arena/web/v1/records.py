"""What the interface tells: votes, battles, models, prompt sets and seals, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from fastapi import HTTPException
from sqlmodel import Session, col, select

from arena.config import AnyModel
from arena.leaderboards.leaderboard import Published
from arena.rules.pii import PIIRedactor
from arena.rules.seals import pseudonym
from arena.rules.tagger_prompt import TAGGED
from arena.rules.votes import HUMAN
from arena.store.conversations import behind
from arena.store.ledger import as_sealed, last_seal, ledger_key, sealed_votes, seals
from arena.store.prompts import prompt_sets
from arena.store.query_filters import given_by, in_category
from arena.store.schema.battles import Battle, Model, Vote
from arena.store.shared_battles import readable
from arena.store.votes import last_vote, vote_count
from arena.web.v1.replies import Page


def state(session: Session) -> str:
    """Changes with every vote, seal and model, and with every battle that a tagger sorts."""
    seal = last_seal(session)
    models = session.exec(select(Model.id).order_by(col(Model.id).desc()).limit(1)).one_or_none()
    return f"{last_vote(session)} {vote_count(session)} {vote_count(session, TAGGED)} {seal.sha256 if seal else ''} {models}"


def votes(session: Session, after: int, limit: int, source: str | None) -> Page:
    """Votes as they are sealed, by number."""
    where = [given_by(Vote.source, source)] if source else []
    found = list(islice(sealed_votes(session, after, where=where, at_once=limit + 1), limit + 1))
    rows = [asdict(vote) for vote in found[:limit]]
    return Page(rows, "votes", next_after=_more(found, limit, lambda vote: vote.vote))


def battles(
    session: Session, after: str, limit: int, *, model: str | None, category: str | None, judged: bool
) -> Page:
    """Battles that may be read, the oldest first, each with all its votes; personal data is taken out."""
    where = [readable(judged)]
    if after:
        start = session.exec(select(Battle.id).where(Battle.public_id == after)).one_or_none()
        if start is None:
            raise HTTPException(422, f"after: there is no battle {after!r}; begin without it")
        where.append(col(Battle.id) > start)
    names: dict[int | None, str] = dict(session.exec(select(Model.id, Model.name)).all())
    if model is not None:
        number = next((number for number, name in names.items() if name == model), None)
        where.append((col(Battle.model_a_id) == number) | (col(Battle.model_b_id) == number))
    if category is not None:
        where.append(in_category(category))
    voted = select(Vote.id).where(Vote.battle_id == Battle.id).exists()
    query = select(Battle).where(*where, voted).order_by(col(Battle.id)).limit(limit + 1)
    found = list(session.exec(query).all())
    some = found[:limit]
    texts = behind(session, [battle.id or 0 for battle in some])
    given = _votes_on(session, [battle.id or 0 for battle in some])
    screen = PIIRedactor()
    rows = [
        {
            "battle": battle.public_id,
            "model_a": names[battle.model_a_id],
            "model_b": names[battle.model_b_id],
            "created_at": as_sealed(battle.created_at),
            "categories": list(texts[battle.id or 0].categories),
            "conversation_a": _screened(texts[battle.id or 0].conversation_a, screen),
            "conversation_b": _screened(texts[battle.id or 0].conversation_b, screen),
            "votes": given.get(battle.id or 0, []),
        }
        for battle in some
    ]
    return Page(rows, "battles", next_after=_more(found, limit, lambda battle: battle.public_id))


def _votes_on(session: Session, numbers: list[int]) -> dict[int, list[dict[str, str]]]:
    key = ledger_key(session)
    found: dict[int, list[dict[str, str]]] = {}
    for vote in session.exec(select(Vote).where(col(Vote.battle_id).in_(numbers)).order_by(col(Vote.id))):
        voter = pseudonym(key, vote.voter) if vote.source == HUMAN else vote.source
        row = {"source": vote.source, "voter": voter, "winner": vote.winner}
        found.setdefault(vote.battle_id, []).append(row)
    return found


def _screened(talk: Any, screen: PIIRedactor) -> list[dict[str, str]]:
    return [{"role": one["role"], "content": screen(one["content"])} for one in talk]


def models(session: Session, published: Published, configured: tuple[AnyModel, ...]) -> Page:
    """Every registered model with its place on the board, and what the settings tell readers about it."""
    since = {row.name: row.created_at for row in session.exec(select(Model))}
    told = {model.name: _told(model) for model in configured}
    rows = [
        {
            **row,
            "registered_at": as_sealed(since[row["model"]]) if row["model"] in since else None,
            **told.get(row["model"], _NOTHING),
        }
        for row in published.board.to_dict()["models"]
    ]
    return Page(rows, "models", {"source": published.source, "category": published.category})


FACTS = (
    "organisation", "licence", "parameters", "context", "energy", "variants_tested", "listed", "retired", "released",
    "url",
)  # fmt: skip
_NOTHING: Mapping[str, Any] = dict.fromkeys((*FACTS, "prompt_price", "completion_price"))


def _told(model: AnyModel) -> dict[str, Any]:
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
    """The prompt sets; their texts belong to whoever wrote them, and stay here."""
    return Page([asdict(one) for one in prompt_sets(session)], "prompt_sets")


def chain(session: Session, after: int, limit: int) -> Page:
    found = seals(session, after, limit + 1)
    rows = [one.to_dict() for one in found[:limit]]
    return Page(rows, "seals", next_after=_more(found, limit, lambda one: one.number))


def _more(found: list[Any], limit: int, key: Any) -> str | None:
    """Where the next page begins, if there is one."""
    return str(key(found[limit - 1])) if len(found) > limit else None
