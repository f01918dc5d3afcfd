"""Verdicts of judges: votes on battles over prompt sets, and scores of single completions."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from arena.store.criteria import criteria_text
from arena.store.prompts import StoredCompletion, StoredPrompt
from arena.store.query_filters import counting, of_source
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Model, Turn, Vote
from arena.store.schema.judging import JudgedBattle, Prompt, PromptCompletion, PromptSet, ScoreRow, VerdictRow
from arena.store.votes import add_vote
from judges import Score
from judges.judge import OnScale

NOT_DRAWN = 1.0  # the probability of a pair that was chosen, not drawn


@dataclass(frozen=True)
class NewVerdict:
    """A judge's verdict on two completions of a prompt, in terms of `a` and `b`."""

    prompt: StoredPrompt
    a: StoredCompletion
    b: StoredCompletion
    winner: str
    preference: float
    strength: int
    orders: tuple[str, ...]
    reason: str
    battle: int | None = None  # a battle of people; None is the one over the prompt of a set
    criteria: tuple[OnScale, ...] = ()  # preference for `a` by criterion of a rubric


@dataclass(frozen=True)
class StoredVote:
    """A vote of any source, with the details of a judge's verdict."""

    battle: int
    prompt: str  # set and key for a judged battle, else the battle itself
    category: str
    model_a: str
    model_b: str
    source: str
    voter: str
    winner: str
    preference: float | None
    orders: tuple[str, ...]
    reason: str
    created_at: datetime


class OtherConfig(Exception):
    """This judge has verdicts on these battles with another configuration."""


def add_verdicts(session: Session, source: str, config_hash: str, verdicts: Sequence[NewVerdict]) -> int:
    """Add the votes of a judge; existing ones of the same configuration are not changed.

    Returns the number of new votes. Raises `OtherConfig`, and then nothing is written.
    """
    added = 0
    for verdict in verdicts:
        battle_id = verdict.battle or _battle(session, verdict)
        before = session.exec(select(Vote).where(Vote.battle_id == battle_id, Vote.source == source)).one_or_none()
        if before is None:
            add_vote(session, battle_id, source, source, verdict.winner, stopped_early=False)
            vote = session.exec(select(Vote).where(Vote.battle_id == battle_id, Vote.source == source)).one()
            _add_details(session, vote, config_hash, verdict)
            added += 1
        elif (row := session.get(VerdictRow, before.id)) is None or row.config_hash != config_hash:
            raise OtherConfig(f"{source} has verdicts on these battles with another configuration")
    return added


def _add_details(session: Session, vote: Vote, config_hash: str, verdict: NewVerdict) -> None:
    session.add(
        VerdictRow(
            vote_id=vote.id or 0,
            preference=verdict.preference,
            strength=verdict.strength,
            orders=",".join(verdict.orders),
            reason=verdict.reason,
            criteria=criteria_text(verdict.criteria),
            config_hash=config_hash,
        )
    )


def _battle(session: Session, verdict: NewVerdict) -> int:
    """The battle of two completions, which is added if it is missing; `a` is its left side."""
    a, b = (session.get_one(PromptCompletion, side.id) for side in (verdict.a, verdict.b))
    existing = session.exec(
        select(JudgedBattle.battle_id).where(
            JudgedBattle.prompt_id == verdict.prompt.id,
            JudgedBattle.model_a_id == a.model_id,
            JudgedBattle.model_b_id == b.model_id,
        )
    ).one_or_none()
    if existing is not None:
        return existing
    battle = Battle(
        public_id=secrets.token_urlsafe(12),
        voter="judges",
        model_a_id=a.model_id,
        model_b_id=b.model_id,
        pair_probability=NOT_DRAWN,
        category=verdict.prompt.category,
        status=BattleStatus.JUDGED,
    )
    session.add(battle)
    session.flush()
    _add_turns(session, battle.id or 0, verdict.prompt, {"a": a, "b": b})
    session.add(
        JudgedBattle(
            battle_id=battle.id or 0,
            prompt_id=verdict.prompt.id,
            model_a_id=a.model_id,
            model_b_id=b.model_id,
        )
    )
    session.flush()
    return battle.id or 0


def _add_turns(
    session: Session, battle_id: int, prompt: StoredPrompt, completions: dict[str, PromptCompletion]
) -> None:
    """Add the turns that the models completed; earlier messages stay with the prompt."""
    texts = {side: [*json.loads(row.earlier), row.text] for side, row in completions.items()}
    turns = min(map(len, texts.values()))
    for number, message in enumerate(prompt.messages[-turns:], 1):
        turn = Turn(battle_id=battle_id, number=number, prompt=str(message["content"]))
        session.add(turn)
        session.flush()
        session.add_all(
            _completion(turn.id or 0, side, texts[side][number - turns - 1], row, last=number == turns)
            for side, row in completions.items()
        )
    session.flush()


def _completion(turn: int, side: str, text: str, row: PromptCompletion, *, last: bool) -> CompletionRow:
    """The completion of one turn; only the last turn has a finish reason and token counts."""
    finish_reason, prompt_tokens, completion_tokens = (
        (row.finish_reason, row.prompt_tokens, row.completion_tokens) if last else (None, None, None)
    )
    return CompletionRow(
        turn_id=turn,
        side=side,
        text=text,
        status=CompletionStatus.FINISHED,
        finish_reason=finish_reason,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )


def add_score(session: Session, source: str, config_hash: str, completion_id: int, score: Score) -> bool:
    """Add a judge's score; False if there is one. Raises `OtherConfig`."""
    before = session.exec(
        select(ScoreRow).where(ScoreRow.completion_id == completion_id, ScoreRow.source == source)
    ).one_or_none()
    if before is None:
        session.add(
            ScoreRow(
                completion_id=completion_id,
                source=source,
                score=score.score,
                turns=",".join(map(repr, score.turns)),
                reason=score.reason,
                criteria=criteria_text(score.criteria),
                config_hash=config_hash,
            )
        )
        return True
    if before.config_hash != config_hash:
        raise OtherConfig(f"{source} has scores of these completions with another configuration")
    return False


def votes_on_record(
    session: Session, sources: Sequence[str] = (), prompts: str | None = None, battle: int | None = None
) -> list[StoredVote]:
    """The votes that count, in order: of all sources or some ("human", "judge:NAME", "judges"), on all battles, those
    over one prompt set, or one battle.
    """
    query = _votes_with_details()
    if sources:
        query = query.where(or_(*(of_source(Vote.source, source) for source in sources)))
    if prompts is not None:
        query = query.where(PromptSet.name == prompts)
    if battle is not None:
        query = query.where(Battle.id == battle)
    return [_stored_vote(*row) for row in session.execute(query)]


def _votes_with_details() -> Any:
    """Every vote with its battle, the names of both models and, for a judge's, its verdict, prompt and prompt set."""
    table = Model.__table__  # type: ignore[attr-defined]
    left, right = table.alias("model_left"), table.alias("model_right")
    return (
        select(Vote, Battle, VerdictRow, Prompt, PromptSet, left.c.name, right.c.name)  # type: ignore[call-overload]
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(left, left.c.id == Battle.model_a_id)
        .join(right, right.c.id == Battle.model_b_id)
        .join(VerdictRow, col(VerdictRow.vote_id) == col(Vote.id), isouter=True)
        .join(JudgedBattle, col(JudgedBattle.battle_id) == col(Battle.id), isouter=True)
        .join(Prompt, col(Prompt.id) == col(JudgedBattle.prompt_id), isouter=True)
        .join(PromptSet, col(PromptSet.id) == col(Prompt.set_id), isouter=True)
        .where(counting())
        .order_by(col(Vote.id))
    )


def _stored_vote(
    vote: Vote,
    battle: Battle,
    verdict: VerdictRow | None,
    prompt: Prompt | None,
    prompt_set: PromptSet | None,
    model_a: str,
    model_b: str,
) -> StoredVote:
    return StoredVote(
        battle=battle.id or 0,
        prompt=f"{prompt_set.name}/{prompt.key}" if prompt and prompt_set else f"battle {battle.id}",
        category=battle.category,
        model_a=model_a,
        model_b=model_b,
        source=vote.source,
        voter=vote.voter,
        winner=vote.winner,
        preference=verdict.preference if verdict else None,
        orders=tuple(verdict.orders.split(",")) if verdict and verdict.orders else (),
        reason=verdict.reason if verdict else "",
        created_at=vote.created_at,
    )
