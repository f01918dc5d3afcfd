"""Battles with votes of people in the form of a judge run, and the texts of any battle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlmodel import Session, col, or_, select

from arena.rules.votes import HUMAN
from arena.store.images import battles_with_images
from arena.store.prompts import StoredCompletion, StoredPrompt
from arena.store.query_filters import counting, is_hidden
from arena.store.schema.battles import Battle, CompletionRow, Model, Turn, Vote
from arena.store.schema.clusters import BattlePrompt

AT_ONCE = 500  # battles in one query: databases limit the parameters of a statement
T = TypeVar("T")


Voted = tuple[StoredPrompt, StoredCompletion, StoredCompletion]


def voted_battles(session: Session, limit: int | None = None) -> list[Voted]:
    """The battles with a vote of a person and complete texts, in the order of the votes.

    Those with images are not among them: judges read text.

    The first completion is that of the left side; its id is that of the battle, and the key of its prompt the public
    id.
    """
    query = (
        select(Battle)
        .join(Vote, col(Vote.battle_id) == col(Battle.id))
        .where(Vote.source == HUMAN, counting())
        .order_by(col(Vote.id))
    )
    shown = battles_with_images(session)
    battles = [battle for battle in session.exec(query) if battle.id not in shown]
    names = {row.id: row.name for row in session.exec(select(Model))}
    texts = conversations(session, [battle.id or 0 for battle in battles])
    clusters = _clusters(session, list(texts))
    judgeable = []
    for battle in battles:
        turns = texts.get(battle.id or 0, [])
        if not turns or not all(a and b for _, a, b in turns):
            continue
        prompt = StoredPrompt(
            key=battle.public_id,
            messages=tuple({"role": "user", "content": text} for text, _, _ in turns),
            category=battle.category,
            cluster=clusters.get(battle.id or 0, f"battle {battle.public_id}"),
        )
        sides = zip((battle.model_a_id, battle.model_b_id), (1, 2), strict=True)
        a, b = (
            StoredCompletion(
                battle.id or 0, prompt.key, names[model], turns[-1][at], tuple(turn[at] for turn in turns[:-1])
            )
            for model, at in sides
        )
        judgeable.append((prompt, a, b))
    return judgeable[:limit]


def unshared_battles(session: Session, keys: Iterable[str]) -> set[str]:
    """Those of the battles, by public id, whose voters voted here and have not shared them."""
    voted_here = (
        select(Vote.id)
        .where(Vote.battle_id == Battle.id, Vote.source == HUMAN, col(Vote.import_id).is_(None))
        .exists()
    )
    private = select(Battle.public_id).where(or_(col(Battle.shared).is_(False), is_hidden(Battle.id)), voted_here)
    found: set[str] = set(session.exec(private).all())
    return found.intersection(keys)


def _clusters(session: Session, battles: Sequence[int]) -> dict[int, str]:
    """The prompts of the battles that others can have, by the battle's id."""
    clusters: dict[int, str] = {}
    for batch in parts(battles, AT_ONCE):
        query = select(BattlePrompt.battle_id, BattlePrompt.cluster).where(col(BattlePrompt.battle_id).in_(batch))
        clusters |= dict(session.exec(query).all())
    return clusters


def conversations(session: Session, battles: Sequence[int]) -> dict[int, list[tuple[str, str, str]]]:
    """The turns (prompt, left completion, right completion) of each battle by id, with "" for a missing completion."""
    by_battle: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for batch in parts(battles, AT_ONCE):
        query = (
            select(Turn, CompletionRow)
            .join(CompletionRow, col(CompletionRow.turn_id) == col(Turn.id), isouter=True)
            .where(col(Turn.battle_id).in_(batch))
            .order_by(col(Turn.battle_id), col(Turn.number), col(CompletionRow.attempt))
        )
        sides: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
        prompts: dict[tuple[int, int], str] = {}
        for turn, row in session.exec(query):
            place = (turn.battle_id, turn.number)
            prompts[place] = turn.prompt
            if row is not None:
                sides[place][row.side] = row.text
        for place, prompt in prompts.items():
            by_battle[place[0]].append((prompt, sides[place].get("a", ""), sides[place].get("b", "")))
    return dict(by_battle)


def parts(values: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
