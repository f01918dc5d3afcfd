"""Other runs, templates and panels of a judge are no further voters, unless they are asked to be."""

from __future__ import annotations

import json

import pytest

from arena.config import read_settings
from arena.exchange.folder import export_arena
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.leaderboards.history import board_at, moment
from arena.leaderboards.leaderboard import publish_choice
from arena.leaderboards.query import BoardChoice, BoardRules, rules_of
from arena.leaderboards.trends import rating_history
from arena.store.imports import NewVote, add_votes
from arena.store.ledger import seals
from arena.store.schema.battles import now
from tests.arena.leaderboards.test_clustered_boards import add_people, drawn

REPEATED = ("judge:keen#terse", "judge:keen+other")
ASKED = BoardRules(pool_judges=True)


@pytest.fixture
def judged(database):
    """People, a judge with a second template, its panel with another, and that other judge."""
    add_people(database, drawn())
    for seed, name in ((7, "keen"), (8, "keen#terse"), (9, "keen+other"), (10, "other")):
        verdicts = enumerate(drawn(seed=seed, voters=40, each=6, taste=0.5))
        with database.write() as session:
            add_votes(session, [
                NewVote(f"{name}-{n}", a, b, winner, f"judge:{name}", f"judge:{name}", now(), turns=((prompt, "x", "y"),))
                for n, (a, b, winner, prompt) in verdicts
            ])  # fmt: skip
    return database


def board(database, source, rules=BoardRules(), **choice):  # noqa: B008
    with database.read() as session:
        return publish_choice(session, BoardChoice(source, **choice), rules)


def rated(rows):
    return {row.model: (row.rating, row.lower, row.upper, row.rank) for row in rows}


@pytest.mark.parametrize("source", ["judges", "all", "both"])
@pytest.mark.parametrize("method", ["bt", "elo", "ability"])
def test_each_judge_counts_by_one_name(judged, source, method):
    if source == "both" and method != "bt":
        pytest.skip("both has its own method")
    few, many = board(judged, source, method=method), board(judged, source, ASKED, method=method)
    people = 360 if source in ("all", "both") else 0
    assert (few.board.battles, many.board.battles) == (people + 480, people + 960)
    (note,) = [note for note in few.notes if "second time" in note]
    assert str(note) == f"Not counted a second time as other runs or panels of judge:keen: {', '.join(REPEATED)}."
    assert not [note for note in many.notes if "second time" in note]


def test_a_judge_by_any_name_has_its_own_board(judged):
    assert [board(judged, name).board.battles for name in REPEATED] == [240, 240]


def test_live_past_sealed_and_exported_boards_count_the_same_names(judged, tmp_path):
    seal(judged)
    export_arena(judged, tmp_path / "export")
    assert verify(tmp_path / "export").problems == []
    exported = json.loads((tmp_path / "export" / "boards.json").read_text())
    with judged.read() as session:
        sealed = {made["source"]: made["votes"] for made in seals(session)[-1].boards}
        assert sealed == {"human": 360, "judges": 480, "all": 840} | dict.fromkeys(
            ("judge:keen", "judge:other", *REPEATED), 240
        )
        for source in ("judges", "all"):
            live = rated(publish_choice(session, BoardChoice(source)).board.rows)
            past = rated(board_at(session, moment("2999-01-01"), source).board.rows)
            (published,) = [made for made in exported if (made["source"], made["board"]) == (source, "bt")]
            assert past.keys() == live.keys()
            for model, numbers in past.items():
                assert numbers == pytest.approx(live[model], abs=1e-6)
            for row in published["models"]:
                assert (row["rating"], row["lower"], row["upper"]) == pytest.approx(
                    live[row["model"]][:3], abs=1e-3
                )
        pooled = board_at(session, moment("2999-01-01"), "judges", rules=ASKED).board
        assert pooled.battles == 960
        last = rating_history(session, "judges", "overall", REPEATED)[-4:]
        live = rated(publish_choice(session, BoardChoice("judges")).board.rows)
        assert {row.model: row.rating for row in last} == pytest.approx({m: row[0] for m, row in live.items()})


def test_the_setting_asks_for_all_names(tmp_path):
    (tmp_path / "arena.toml").write_text("[leaderboard]\npool_judges = true\n")
    assert rules_of(read_settings(tmp_path / "arena.toml")).pool_judges
