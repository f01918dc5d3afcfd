"""A voter of a populated arena with battles of their own, voted and not."""

from __future__ import annotations

import math
from random import Random

from arena.rules.votes import HUMAN
from arena.store import Database
from arena.store import battles as stored
from arena.store.models import model_names, register_models
from arena.store.schema.battles import Battle, BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.votes import add_vote


def own_battle(
    database: Database,
    voter: str,
    models: tuple[str, str],
    winner: str | None = None,
    *,
    prompt: str = "Why is the sky blue?",
    text: str = "Rayleigh scattering.",
    shared: bool = False,
    status: BattleStatus = BattleStatus.OPEN,
) -> str:
    """A battle of the voter, with a vote unless `winner` is None; returns its public id."""
    with database.write() as session:
        register_models(session, list(models))
        session.flush()
        battle = stored.add_battle(session, voter, *models, 1.0)
        stored.add_turn(session, battle.id or 0, prompt)
        if status is not BattleStatus.RUNNING:
            written = {side: Written(f"{text} ({side})", CompletionStatus.FINISHED) for side in ("a", "b")}
            stored.finish_turn(session, battle.id or 0, written, status)
        if winner is not None:
            add_vote(session, battle.id or 0, HUMAN, voter, winner, stopped_early=False)
            session.get_one(Battle, battle.id).shared = shared
    return battle.public_id


def own_votes(database: Database, voter: str, votes: int, favourite: str = "", seed: int = 5) -> None:
    """Votes of a person who prefers `favourite` by three logits, and decides by chance otherwise."""
    random = Random(seed)
    with database.read() as session:
        names = model_names(session)
    for number in range(votes):
        a, b = random.sample(names, 2)
        lead = 3.0 * ((a == favourite) - (b == favourite))
        winner = "model_a" if random.random() < 1 / (1 + math.exp(-lead)) else "model_b"
        own_battle(database, voter, (a, b), winner, prompt=f"Own prompt {number}", shared=number % 10 == 0)
