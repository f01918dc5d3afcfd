"""Explanations in the store, and the texts of the battle that each is of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from arena.rules.votes import JUDGE, mirrored
from arena.store.battles import StoredBattle, find_battle
from arena.store.duplicate_battles import Again, same_texts
from arena.store.schema.battles import Battle, BattleStatus, UtcDateTime, Vote, now
from arena.store.schema.judging import JudgedBattle, Prompt, PromptCompletion
from judges import Pair

TOLD = (BattleStatus.VOTED, BattleStatus.JUDGED)  # battles whose models may be named


class ExplanationRow(SQLModel, table=True):
    """What a method said of a judge's verdict on one battle, as the JSON that is shown."""

    __tablename__ = "explanation"
    __table_args__ = (UniqueConstraint("battle_id", "judge", "method", "design"),)
    id: int | None = Field(default=None, primary_key=True)
    battle_id: int = Field(foreign_key="battle.id")
    judge: str = Field(max_length=120)
    method: str = Field(max_length=60)
    config_hash: str = Field(max_length=64, sa_column_kwargs={"name": "design"})  # of judge, prompt and parameters
    document: str
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@dataclass(frozen=True)
class BattleTexts:
    """A battle as a judge reads it. `votes` are (source, winner), people's first."""

    id: int
    public_id: str
    category: str
    pair: Pair
    votes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StoredExplanation:
    id: int
    judge: str
    method: str
    config_hash: str
    document: Mapping[str, Any]
    created_at: datetime


DIGITS = 18  # of the largest number that a database can look for


class UnknownBattle(Exception):
    """No battle has this number or id, or it is not over, so that its models are still secret, or it has no texts."""


def battle_texts(session: Session, name: str) -> BattleTexts:
    """The battle with this number or public id. Raises `UnknownBattle`."""
    number = name.isascii() and name.isdigit() and len(name) <= DIGITS
    wanted = Battle.id == int(name) if number else Battle.public_id == name
    row = session.exec(select(Battle).where(wanted)).one_or_none()
    if row is None:
        raise UnknownBattle(f"no battle is called {name!r}; `arena disputed` lists them with their numbers")
    if row.status not in TOLD:
        raise UnknownBattle(f"battle {name} is {row.status}: it can be explained when it has a vote")
    battle = find_battle(session, public_id=row.public_id)
    assert battle is not None
    if not battle.turns:
        raise UnknownBattle(f"battle {name} has no texts: it was imported without conversations")
    return BattleTexts(
        id=row.id or 0,
        public_id=row.public_id,
        category=row.category,
        pair=_judged_pair(session, battle) or _voted_pair(battle),
        votes=tuple(sorted(_votes(session, battle), key=lambda vote: (vote[0].startswith(JUDGE), *vote))),
    )


def _votes(session: Session, battle: StoredBattle) -> Iterator[tuple[str, str]]:
    """(source, winner) of this battle and of others over the same texts, in the terms of this one."""
    same = same_texts(session, battle.turns[0].prompt) if battle.turns else {}
    here = same.get(battle.id, Again(battle.id, False))
    swapped = {here.battle: here.swapped}
    swapped |= {one: again.swapped != here.swapped for one, again in same.items() if again.battle == here.battle}
    swapped[battle.id] = False
    query = select(Vote.battle_id, Vote.source, Vote.winner).where(col(Vote.battle_id).in_([*swapped]))
    for number, source, winner in session.exec(query):
        yield source, mirrored(winner) if swapped[number] else winner


def add_explanation(
    session: Session, battle_id: int, judge: str, method: str, config_hash: str, document: Mapping[str, Any]
) -> None:
    """Keep an explanation; one made again in the same way takes the place of the one before."""
    row = session.exec(_rows(battle_id).where(*_same(judge, method, config_hash))).one_or_none()
    text = json.dumps(document, ensure_ascii=False)
    if row is None:
        row = ExplanationRow(
            battle_id=battle_id, judge=judge, method=method, config_hash=config_hash, document=text
        )
    row.document, row.created_at = text, now()
    session.add(row)


def find_explanation(
    session: Session, battle_id: int, judge: str, method: str, config_hash: str
) -> StoredExplanation | None:
    """The explanation that was made in this way, if there is one."""
    row = session.exec(_rows(battle_id).where(*_same(judge, method, config_hash))).one_or_none()
    return _stored(row) if row else None


def explanations_of(session: Session, battle_id: int) -> list[StoredExplanation]:
    """All explanations of a battle, the newest first."""
    newest = col(ExplanationRow.created_at).desc(), col(ExplanationRow.id).desc()
    return [_stored(row) for row in session.exec(_rows(battle_id).order_by(*newest))]


def explained_words(
    session: Session, judge: str | None, model: str | None, category: str | None
) -> dict[tuple[int, str], tuple[list[str], list[float]]]:
    """Words and scores of the newest explanation of a verdict by (battle, judge), the methods that have a sign."""
    query = select(ExplanationRow, Battle).join(Battle, col(Battle.id) == col(ExplanationRow.battle_id))
    if judge is not None:
        query = query.where(ExplanationRow.judge == judge)
    if category is not None:
        query = query.where(Battle.category == category)
    found = {}
    for row, _ in session.exec(query.order_by(col(ExplanationRow.created_at), col(ExplanationRow.id))):
        told = json.loads(row.document)
        signed = told.get("parameters", {}).get("signed", True)
        if "verdict" in told and signed and (model is None or model in told["models"].values()):
            words = told["words"]
            found[row.battle_id, row.judge] = [one["text"] for one in words], [one["score"] for one in words]
    return found


def _rows(battle_id: int):  # type: ignore[no-untyped-def]  # noqa: ANN202  (a select keeps its own type)
    return select(ExplanationRow).where(ExplanationRow.battle_id == battle_id)


def _same(judge: str, method: str, config_hash: str) -> tuple[bool, bool, bool]:
    row = ExplanationRow
    return row.judge == judge, row.method == method, row.config_hash == config_hash


def _stored(row: ExplanationRow) -> StoredExplanation:
    return StoredExplanation(
        row.id or 0, row.judge, row.method, row.config_hash, json.loads(row.document), row.created_at
    )


def _voted_pair(battle: StoredBattle) -> Pair:
    """A battle that people had: each side answered every turn itself."""
    sides = {side: [turn.completions[side].text for turn in battle.turns] for side in ("a", "b")}
    return Pair(
        prompt=f"battle {battle.id}",
        messages=tuple({"role": "user", "content": turn.prompt} for turn in battle.turns),
        model_a=battle.model_a,
        completion_a=sides["a"][-1],
        model_b=battle.model_b,
        completion_b=sides["b"][-1],
        earlier_a=tuple(sides["a"][:-1]),
        earlier_b=tuple(sides["b"][:-1]),
    )


def _judged_pair(session: Session, battle: StoredBattle) -> Pair | None:
    """A battle over a prompt of a set, with all that the set knows of the prompt."""
    judged = session.get(JudgedBattle, battle.id)
    if judged is None:
        return None
    prompt = session.get_one(Prompt, judged.prompt_id)

    def completion(model_id: int) -> PromptCompletion:
        wanted = PromptCompletion.prompt_id == judged.prompt_id, PromptCompletion.model_id == model_id
        return session.exec(select(PromptCompletion).where(*wanted)).one()

    a, b = completion(judged.model_a_id), completion(judged.model_b_id)
    return Pair(
        prompt=prompt.key,
        messages=_messages(prompt.messages),
        model_a=battle.model_a,
        completion_a=a.text,
        model_b=battle.model_b,
        completion_b=b.text,
        checklist=tuple(json.loads(prompt.checklist)),
        reference=prompt.reference,
        earlier_a=tuple(json.loads(a.earlier)),
        earlier_b=tuple(json.loads(b.earlier)),
        references=tuple(json.loads(prompt.extra).get("references", ())),
    )


def _messages(text: str) -> tuple[Mapping[str, str], ...]:
    return tuple(json.loads(text))
