"""Battles in a store with one vote each."""

from __future__ import annotations

from arena.rules.votes import SIDES
from arena.store import Database
from arena.store.battles import add_battle, add_turn, finish_turn
from arena.store.models import register_models
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.votes import add_vote


def add_voted_battle(
    database: Database, prompt: str, a: str, b: str, winner: str, models: tuple[str, str] = ("plain", "lists")
) -> int:
    """A battle between `plain` and `lists` as the page leaves it."""
    with database.write() as session:
        register_models(session, ["plain", "lists"])
        session.flush()
        battle = add_battle(session, "voter", *models, 1.0)
        number = battle.id or 0
        add_turn(session, number, prompt)
        texts = dict(zip(SIDES, (a, b), strict=True))
        written = {side: Written(texts[side], CompletionStatus.FINISHED) for side in SIDES}
        finish_turn(session, number, written, BattleStatus.OPEN)
        add_vote(session, number, "human", "voter", winner, stopped_early=False)
    return number
