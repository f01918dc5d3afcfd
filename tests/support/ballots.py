"""Battles with votes, put straight into a store, on days of one's own choosing."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from arena.rules.votes import HUMAN
from arena.store import Database
from arena.store import battles as stored
from arena.store.models import register_models
from arena.store.schema.battles import Battle, BattleStatus, CompletionStatus, Vote
from arena.store.stored_battles import Written
from arena.store.votes import add_vote

MODELS = ("amber", "birch", "cedar")
# (left, right, winner): amber beats birch beats cedar, but not always
PLAIN = [
    ("amber", "birch", "model_a"),
    ("birch", "amber", "model_b"),
    ("amber", "birch", "tie"),
    ("birch", "cedar", "model_a"),
    ("cedar", "birch", "both_bad"),
    ("cedar", "amber", "model_b"),
    ("amber", "cedar", "model_b"),
    ("birch", "amber", "model_a"),
]


def ballot(
    database: Database,
    left: str,
    right: str,
    winner: str,
    *,
    voter: str = "voter-1",
    day: str | None = None,
    prompt: str = "What is a tree?",
    texts: tuple[str, str] = ("A plant.", "It has **leaves** and bark."),
    shared: bool = False,
    leaked: bool = False,
    source: str = HUMAN,
) -> int:
    """One battle with one vote; returns the vote's id."""
    with database.write() as session:
        register_models(session, [left, right])
        session.flush()
        battle = session.get_one(Battle, stored.add_battle(session, voter, left, right, 1.0).id)
        battle.shared = shared
        stored.add_turn(session, battle.id, prompt)
        written = {
            side: Written(text, CompletionStatus.FINISHED, leaked=leaked)
            for side, text in zip("ab", texts, strict=True)
        }
        status = BattleStatus.OPEN if source == HUMAN else BattleStatus.JUDGED
        stored.finish_turn(session, battle.id, written, status)
        add_vote(session, battle.id, source, voter, winner, stopped_early=False)
        vote = session.exec(select(Vote).order_by(col(Vote.id).desc()).limit(1)).one()
        if day is not None:
            moment = datetime.fromisoformat(day if "T" in day else f"{day}T12:00:00+00:00")
            vote.created_at = moment
            session.get_one(Battle, battle.id).created_at = moment
        return vote.id


def ballots(database: Database, rows=PLAIN, **given) -> None:
    for number, (left, right, winner) in enumerate(rows):
        ballot(database, left, right, winner, **{"voter": f"voter-{number % 3}", **given})
