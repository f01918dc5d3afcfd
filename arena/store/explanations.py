"""Explanations in the store, and the texts of explained battles."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint, func
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, select

from arena.rules.seals import FORMER
from arena.rules.votes import HUMAN, JUDGE, mirrored
from arena.store.duplicate_battles import Duplicate, find_duplicates
from arena.store.schema.battles import Battle, BattleStatus, UtcDateTime, Vote, now
from arena.store.schema.judging import JudgedBattle, Prompt, PromptCompletion
from arena.store.stored_battles import StoredBattle, find_battle
from judges import Pair

FINISHED = (BattleStatus.VOTED, BattleStatus.JUDGED)  # their models may be named


class ExplanationRow(SQLModel, table=True):
    """The explanation of a judge's verdict on one battle by one method, as JSON."""

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
    """The texts of a battle for a judge. `votes` are (source, winner), those of people first."""

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


DIGITS = 18  # of the largest number that a database can compare


class UnknownBattle(Exception):
    """No battle has this number or id, or it has no vote yet, so that its models stay secret, or no texts."""


def battle_texts(session: Session, name: str) -> BattleTexts:
    """The battle with this number or public id. Raises `UnknownBattle`."""
    number = name.isascii() and name.isdigit() and len(name) <= DIGITS
    wanted = Battle.id == int(name) if number else Battle.public_id == name
    row = session.exec(select(Battle).where(wanted)).one_or_none()
    if row is None:
        raise UnknownBattle(f"Battle {name!r} not found. Run `arena disputed` to list battles with their numbers.")
    if row.status not in FINISHED:
        raise UnknownBattle(f"Battle {name} is {row.status}. Only a battle with a vote can be explained.")
    battle = find_battle(session, public_id=row.public_id)
    assert battle is not None
    if not battle.turns:
        raise UnknownBattle(f"Battle {name} has no texts. Import it with conversations to explain it.")
    if row.voter.startswith(FORMER):
        raise UnknownBattle(f"The voter of battle {name} deleted its texts. Choose another battle.")
    return BattleTexts(
        id=row.id or 0,
        public_id=row.public_id,
        category=row.category,
        pair=_judged_pair(session, battle) or _voted_pair(battle),
        votes=tuple(sorted(_votes(session, battle), key=lambda vote: (vote[0].startswith(JUDGE), *vote))),
    )


def _votes(session: Session, battle: StoredBattle) -> Iterator[tuple[str, str]]:
    """(source, winner) of this battle and of others over the same texts, with the sides of this one."""
    same = find_duplicates(session, battle.turns[0].prompt) if battle.turns else {}
    here = same.get(battle.id, Duplicate(battle.id, False))
    swapped = {here.battle: here.swapped}
    swapped |= {
        number: other.swapped != here.swapped for number, other in same.items() if other.battle == here.battle
    }
    swapped[battle.id] = False
    query = select(Vote.battle_id, Vote.source, Vote.winner).where(col(Vote.battle_id).in_([*swapped]))
    for number, source, winner in session.exec(query):
        yield source, mirrored(winner) if swapped[number] else winner


def add_explanation(
    session: Session, battle_id: int, judge: str, method: str, config_hash: str, document: Mapping[str, Any]
) -> None:
    """Save an explanation, which replaces one of the same configuration."""
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
    """The explanation of this configuration, if there is one."""
    row = session.exec(_rows(battle_id).where(*_same(judge, method, config_hash))).one_or_none()
    return _stored(row) if row else None


def explanations_of(session: Session, battle_id: int) -> list[StoredExplanation]:
    """All explanations of a battle, the newest first."""
    newest = col(ExplanationRow.created_at).desc(), col(ExplanationRow.id).desc()
    return [_stored(row) for row in session.exec(_rows(battle_id).order_by(*newest))]


def agreement_with_people(session: Session, judge: str) -> tuple[int, int]:
    """(votes of people that agree with the verdicts of a judge, votes on battles that it judged). Both bad is a tie."""
    verdict = aliased(Vote)
    query = (
        select(Vote.winner, verdict.winner, func.count())
        .join(verdict, col(verdict.battle_id) == col(Vote.battle_id))
        .where(Vote.source == HUMAN, verdict.source == JUDGE + judge)
        .group_by(Vote.winner, verdict.winner)
    )
    counts = [(_or_tie(person) == _or_tie(judged), count) for person, judged, count in session.exec(query)]
    return sum(count for same, count in counts if same), sum(count for _, count in counts)


def _or_tie(winner: str) -> str:
    return "tie" if winner == "both_bad" else winner


def explained_words(
    session: Session, judge: str | None, model: str | None, category: str | None
) -> dict[tuple[int, str], tuple[list[str], list[float]]]:
    """Words and scores of the newest explanation of a verdict with signed scores, by (battle, judge)."""
    query = select(ExplanationRow, Battle).join(Battle, col(Battle.id) == col(ExplanationRow.battle_id))
    if judge is not None:
        query = query.where(ExplanationRow.judge == judge)
    if category is not None:
        query = query.where(Battle.category == category)
    explained = {}
    for row, _ in session.exec(query.order_by(col(ExplanationRow.created_at), col(ExplanationRow.id))):
        document = json.loads(row.document)
        signed = document.get("parameters", {}).get("signed", True)
        if "verdict" in document and signed and (model is None or model in document["models"].values()):
            words = document["words"]
            explained[row.battle_id, row.judge] = (
                [word["text"] for word in words],
                [word["score"] for word in words],
            )
    return explained


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
