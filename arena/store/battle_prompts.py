"""The prompt of a battle as a cluster of votes, stored with the first vote on it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import insert
from sqlmodel import Session, col, select

from arena.rules.vote_clusters import published_prompt
from arena.store.ledger import ledger_key
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, Turn
from arena.store.schema.clusters import BattlePrompt
from arena.store.schema.judging import JudgedBattle, Prompt

IMPORTED = "imported"  # the finish reason of imported completions
BATCH = 500  # battles in one query: databases limit the parameters of a statement


def record_prompt(session: Session, battle: Battle) -> None:
    """Store the prompt of a battle if others can have it and it is not stored yet."""
    of_set = battle.status == BattleStatus.JUDGED
    if battle.id is None or not (of_set or battle.suggested) or session.get(BattlePrompt, battle.id) is not None:
        return
    text = _prompt_of_set(session, battle.id) if of_set else None
    if text is None and battle.suggested:
        text = session.exec(select(Turn.prompt).where(Turn.battle_id == battle.id, Turn.number == 1)).first()
    add_prompts(session, {} if text is None else {battle.id: text})
    session.flush()


def add_prompts(session: Session, texts: Mapping[int, str]) -> None:
    """Store the prompts of battles, each by the battle's id."""
    key = ledger_key(session) if texts else b""
    clusters = {battle: published_prompt(key, text) for battle, text in texts.items()}
    if rows := [{"battle_id": battle, "cluster": cluster} for battle, cluster in clusters.items() if cluster]:
        session.execute(insert(BattlePrompt), rows)


def record_every_prompt(session: Session) -> None:
    """Store the prompts of all battles that have none yet: the first start with this table."""
    stored = select(BattlePrompt.battle_id)
    judged = (
        select(JudgedBattle.battle_id, Prompt.messages)
        .join(Prompt, col(Prompt.id) == col(JudgedBattle.prompt_id))
        .where(col(JudgedBattle.battle_id).not_in(stored))
    )
    texts = {battle: prompt_text(messages) for battle, messages in session.execute(judged)}
    add_prompts(session, texts)
    imported = select(CompletionRow.id).where(
        col(CompletionRow.turn_id) == col(Turn.id), CompletionRow.finish_reason == IMPORTED
    )
    first = (
        select(Turn.battle_id, Turn.prompt)
        .join(Battle, col(Battle.id) == col(Turn.battle_id))
        .where(Turn.number == 1, col(Battle.suggested) | imported.exists(), col(Turn.battle_id).not_in(stored))
    )
    add_prompts(session, dict(session.execute(first).all()))


def prompt_text(messages: str) -> str:
    """The user turns of a prompt of a set, given as JSON."""
    return "\n".join(str(message["content"]) for message in json.loads(messages) if message["role"] == "user")


def _prompt_of_set(session: Session, battle_id: int) -> str | None:
    query = (
        select(Prompt.messages)
        .join(JudgedBattle, col(JudgedBattle.prompt_id) == col(Prompt.id))
        .where(JudgedBattle.battle_id == battle_id)
    )
    messages = session.exec(query).one_or_none()
    return None if messages is None else prompt_text(messages)
