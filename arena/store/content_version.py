"""A text that changes with the content of the store, for entity tags and caches."""

from __future__ import annotations

from sqlmodel import Session, func, select

from arena.rules.tagger_prompt import TAGGED
from arena.store.ledger import last_seal
from arena.store.schema.battles import Model
from arena.store.set_aside import aside_version
from arena.store.votes import last_vote_id, vote_count


def content_version(session: Session) -> str:
    """A text that changes with every vote, seal and model, with every battle that a tagger classifies, and with every
    judge and import that is set aside or taken back, and all votes that are held or released.
    """
    seal = last_seal(session)
    newest_model = session.exec(select(func.max(Model.id))).one()
    counts = (last_vote_id(session), vote_count(session), vote_count(session, TAGGED), *aside_version(session))
    return " ".join(map(str, (*counts, seal.sha256 if seal else "", newest_model)))
