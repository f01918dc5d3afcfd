"""Battles with votes of people in the form of a judge run, and the texts of any battle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from arena.rules.votes import HUMAN
from arena.store.images import battles_with_images
from arena.store.prompts import StoredCompletion, StoredPrompt
from arena.store.schema.battles import Battle, CompletionRow, Model, Turn, Vote

AT_ONCE = 500  # battles in one query: databases limit the parameters of a statement


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
        .where(Vote.source == HUMAN)
        .order_by(col(Vote.id))
    )
    shown = battles_with_images(session)
    battles = [battle for battle in session.exec(query) if battle.id not in shown]
    names = {row.id: row.name for row in session.exec(select(Model))}
    texts = conversations(session, [battle.id or 0 for battle in battles])
    judgeable = []
    for battle in battles:
        turns = texts.get(battle.id or 0, [])
        if not turns or not all(a and b for _, a, b in turns):
            continue
        prompt = StoredPrompt(
            key=battle.public_id,
            messages=tuple({"role": "user", "content": text} for text, _, _ in turns),
            category=battle.category,
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


def parts(values: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))
