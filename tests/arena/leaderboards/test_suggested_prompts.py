"""Battles over prompts that the page suggests do not dominate a board, and are marked as repeats in an export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product

from sqlmodel import select

from arena.exchange.folder import export_arena
from arena.exchange.rows import FEWEST
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.leaderboards.vote_filters import SUGGESTED, find_filter
from arena.rules.seals import SealedVote, canonical
from arena.rules.suggested_prompts import suggested_prompts
from arena.store import Database
from arena.store.schema.battles import Battle
from tests.support.arenas import opened_battles, settled
from tests.support.ballots import ballot

ONE, OTHER = suggested_prompts()["coding"][:2]


def vote(number: int, suggested: bool, source: str = "human") -> SealedVote:
    at = f"2026-01-{number // 90 + 1:02}T00:00:00.000000+00:00"
    return SealedVote(number, "b", "x", "y", "model_a", source, f"v{number}", False, False, at, suggested)


def mark(database: Database) -> None:
    """As the battles were begun on the page."""
    from sqlmodel import col, update

    from arena.store.schema.battles import Turn

    numbers = select(Turn.battle_id).where(col(Turn.prompt).in_((ONE, OTHER)))
    with database.write() as session:
        session.execute(update(Battle).where(col(Battle.id).in_(numbers)).values(suggested=True))


def test_at_most_one_counted_vote_in_five_is_on_a_suggested_prompt():
    votes = [vote(number, suggested=number % 3 > 0) for number in range(900)]  # two thirds
    counted = [*find_filter("mixed-1").counted(votes)]
    own = [one for one in counted if not one.suggested]
    assert len(own) == 300
    assert len(counted) == 300 * SUGGESTED // (SUGGESTED - 1)
    for end in range(1, len(counted)):
        assert SUGGESTED * sum(one.suggested for one in counted[:end]) <= end


def test_judges_and_own_prompts_are_not_touched():
    votes = [vote(number, suggested=source != "human", source=source) for number, source in
             enumerate(["human", "judge:j"] * 20)]  # fmt: skip
    assert [*find_filter("mixed-1").counted(votes)] == votes


def test_the_leaf_of_a_vote_on_an_own_prompt_is_as_before():
    assert "suggested" not in vote(1, suggested=False).to_dict()
    assert b'"suggested":true' in canonical(vote(1, suggested=True).to_dict())
    assert vote(1, suggested=True).leaf() != vote(1, suggested=False).leaf()


async def test_a_battle_that_begins_with_a_suggested_prompt_is_marked(database):
    battles = await opened_battles(database)
    marks: Mapping[str, bool] = {ONE: True, f" {ONE.upper()} ": True, "Why?": False}
    for prompt in marks:
        view = await battles.begin("ann", prompt)
        await settled(battles, "ann", view.public_id)
        await battles.continue_("ann", view.public_id, OTHER)
        await settled(battles, "ann", view.public_id)
    with database.read() as session:
        assert session.exec(select(Battle.suggested).order_by(Battle.id)).all() == list(marks.values())
    view = await battles.begin("ann", ONE)
    await settled(battles, "ann", view.public_id)
    await battles.edit("ann", view.public_id, "Why is the sky blue?")
    await settled(battles, "ann", view.public_id)
    with database.read() as session:
        assert session.exec(select(Battle.suggested).where(Battle.public_id == view.public_id)).one() is False


def test_an_export_samples_suggested_prompts_and_verifies(sqlite, tmp_path):
    pairs = [*product("abc", repeat=1)]
    for number in range(3 * FEWEST):
        ballot(sqlite, "amber", "birch", "model_a", voter=f"v{number}", prompt=(ONE, OTHER)[number % 2])
        ballot(sqlite, "birch", "amber", "model_a", voter=f"w{number}", prompt=f"My question {number} {pairs}")
    mark(sqlite)
    seal(sqlite, "mixed-1")
    export_arena(sqlite, tmp_path / "out", version="mixed-1")
    rows = [json.loads(line) for line in (tmp_path / "out" / "battles.jsonl").read_text().splitlines()]
    suggested = [row for row in rows if row["suggested"]]
    assert len(suggested) == 3 * FEWEST
    assert sum(row["dedup_tag"]["sampled"] for row in suggested) == 2 * FEWEST
    assert all(row["dedup_tag"]["high_freq"] for row in suggested)
    assert all(row["dedup_tag"] == {"high_freq": False, "sampled": True} for row in rows if not row["suggested"])
    assert verify(tmp_path / "out").problems == []
    board = next(one for one in json.loads((tmp_path / "out" / "boards.json").read_text()) if one["board"] == "bt")
    votes = 3 * FEWEST * SUGGESTED // (SUGGESTED - 1)
    assert board["models"][0]["battles"] == votes
