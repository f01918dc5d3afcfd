"""Boards of past days, and why a rating moved."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from random import Random

import pytest
from sqlmodel import select

from arena.errors import ConfigError
from arena.exchange.sealing import seal
from arena.leaderboards.history import NoSuchDay, board_at, filter_at, moment
from arena.leaderboards.leaderboard import publish
from arena.leaderboards.rating_change import split_change
from arena.store.schema.ledger import SealRow
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.typed import Typed

MARCH, APRIL = moment("2026-03-31"), moment("2026-04-30")


def spring(database) -> None:
    """In March three models; in April more votes, and dahlia comes."""
    ballots(database, PLAIN * 3, day="2026-03-10")
    ballots(database, PLAIN[:1] * 6, day="2026-04-10", texts=("Short.", "## A\n- much longer **list** of words"))
    ballots(database, [("dahlia", "amber", "model_a"), ("birch", "dahlia", "tie")] * 4, day="2026-04-20")


def seal_on(database, day: str, version: str = "every-1") -> None:
    """Seals of the past, for a clock that cannot be turned back."""
    seal(database, version)
    with database.write() as session:
        row = session.exec(select(SealRow).order_by(SealRow.number.desc()).limit(1)).one()
        row.sealed_at = moment(day)


def rating(board, model: str) -> float:
    return next(row.rating for row in board.rows if row.model == model)


def test_a_day_means_its_end_in_utc():
    assert moment("2026-03-31") == datetime(2026, 4, 1, tzinfo=UTC)
    assert moment("2026-03-31T12:00:00+02:00") == datetime(2026, 3, 31, 10, tzinfo=UTC)
    assert moment("2026-03-31T12:00") == datetime(2026, 3, 31, 12, tzinfo=UTC)
    for wrong in ("yesterday", "2026-13-01", "31.03.2026", "9999-12-31"):
        with pytest.raises(NoSuchDay, match="Write it as 2026-03-01"):
            moment(wrong)


def test_the_board_of_a_past_day_is_the_board_of_that_day(database):
    ballots(database, PLAIN * 3, day="2026-03-10")
    with database.read() as session:
        then = publish(session).to_dict()
    ballots(database, PLAIN[:2] * 6, day="2026-04-10")
    ballot(database, "dahlia", "amber", "model_a", day="2026-04-20")
    with database.read() as session:
        past, today = board_at(session, MARCH).to_dict(), board_at(session, moment("2027-01-01")).to_dict()
        now = publish(session).to_dict()
    assert past["models"] == then["models"]
    assert today["models"] == now["models"]
    assert (past["votes"], past["filter"], today["votes"]) == (24, "every-1", 37)


def test_there_is_no_board_before_the_first_vote(sqlite):
    with sqlite.read() as session, pytest.raises(NoSuchDay, match="There are no votes yet"):
        board_at(session, MARCH)
    spring(sqlite)
    with sqlite.read() as session, pytest.raises(NoSuchDay, match="The first vote is of 2026-03-10 12:00 UTC"):
        board_at(session, moment("2026-03-09"))


def test_a_past_day_has_its_own_filter(sqlite):
    ballots(sqlite, PLAIN * 2, day="2026-03-10")
    ballot(sqlite, "cedar", "amber", "model_a", leaked=True, day="2026-03-11")
    seal_on(sqlite, "2026-03-31")
    seal_on(sqlite, "2026-04-15", "blind-1")
    with sqlite.read() as session:
        assert [filter_at(session, at) for at in (moment("2026-03-01"), MARCH, APRIL)] == [
            "every-1", "every-1", "blind-1",
        ]  # fmt: skip
        march, april = board_at(session, MARCH).to_dict(), board_at(session, APRIL).to_dict()
    assert [(board["votes"], board["filter"]) for board in (march, april)] == [(17, "every-1"), (16, "blind-1")]


@pytest.mark.parametrize("model", ["amber", "birch", "cedar"])
def test_the_steps_add_up_to_the_change_exactly(sqlite, model):
    spring(sqlite)
    with sqlite.read() as session:
        found = split_change(session, model, MARCH, APRIL)
        ends = [rating(board_at(session, at).board, model) for at in (MARCH, APRIL)]
    units = [round(points * 10_000) for points in found.steps.values()]
    assert sum(units) == round(found.change * 10_000) != 0
    assert found.ratings == (round(ends[0], 4), round(ends[1], 4))
    assert list(found.steps) == ["new votes", "new opponents", "filters"]
    assert found.steps["filters"] == 0


def test_each_step_is_what_it_is_called(sqlite):
    ballots(sqlite, PLAIN * 3, day="2026-03-10")
    seal_on(sqlite, "2026-03-31")
    ballots(sqlite, PLAIN[:1] * 6, day="2026-04-10")
    with sqlite.read() as session:
        votes_alone = split_change(session, "amber", MARCH, moment("2026-04-12"))
    assert votes_alone.steps["new votes"] == votes_alone.change > 0
    ballots(sqlite, [("dahlia", "amber", "model_a")] * 4, day="2026-04-20")
    with sqlite.read() as session:
        with_new = split_change(session, "amber", MARCH, moment("2026-04-22"))
    assert with_new.steps["new votes"] == votes_alone.change
    assert with_new.steps["new opponents"] < 0
    ballots(sqlite, PLAIN[:1] * 8, day="2026-04-23", leaked=True)
    seal_on(sqlite, "2026-04-24", "blind-1")
    with sqlite.read() as session:
        filtered = split_change(session, "amber", MARCH, APRIL)
    assert filtered.filters == ("every-1", "blind-1")
    assert filtered.steps["filters"] < 0
    assert filtered.ratings[1] == with_new.ratings[1]


@pytest.mark.slow
def test_style_terms_are_the_rest_on_boards_with_style_control(sqlite):
    chance = Random(1)
    for number in range(60):
        texts = [" ".join(["word", "**bold**", "\n- item", "\n# head"][chance.randrange(4)] for _ in range(9))
                 for _ in "ab"]  # fmt: skip
        row = chance.choice(PLAIN)
        winner = chance.choice(["model_a", "model_b", row[2]])
        ballot(sqlite, *row[:2], winner, texts=tuple(texts), day="2026-03-12" if number < 40 else "2026-04-12")
    with sqlite.read() as session:
        found = split_change(session, "amber", MARCH, APRIL, style=True)
        plain = split_change(session, "amber", MARCH, APRIL)
    assert sum(round(points * 10_000) for points in found.steps.values()) == round(found.change * 10_000)
    assert found.steps["style"] != 0
    assert {name: found.steps[name] for name in plain.steps} == plain.steps


def test_opponents_tell_what_was_unexpected(sqlite):
    spring(sqlite)
    with sqlite.read() as session:
        found = {one.model: one for one in split_change(session, "amber", MARCH, APRIL).opponents}
    assert (found["birch"].votes, found["birch"].score, found["birch"].new) == (6, 6.0, False)
    assert 3 < found["birch"].expected < 6
    assert (found["dahlia"].votes, found["dahlia"].score, found["dahlia"].new) == (4, 0.0, True)
    assert found["dahlia"].expected is None


def test_an_undefined_change_names_the_reason(sqlite):
    spring(sqlite)
    with sqlite.read() as session:
        with pytest.raises(NoSuchDay, match="'dahlia' had no votes by 2026-04-01 00:00 UTC"):
            split_change(session, "dahlia", MARCH, APRIL)
        with pytest.raises(
            NoSuchDay, match=r"'elm' has no votes\. Models with votes: amber, birch, cedar, dahlia"
        ):
            split_change(session, "elm", MARCH, APRIL)
        with pytest.raises(NoSuchDay, match="Source both has no steps"):
            split_change(session, "amber", MARCH, APRIL, source="both")
        with pytest.raises(ConfigError, match="Source 'people' is unknown"):
            split_change(session, "amber", MARCH, APRIL, source="people")
        with pytest.raises(NoSuchDay, match="is not before"):
            split_change(session, "amber", APRIL, MARCH)
        with pytest.raises(NoSuchDay, match="No two completions of that day differ in style"):
            split_change(session, "amber", MARCH, APRIL, style=True)


@pytest.mark.slow
def test_the_commands(sqlite, tmp_path, monkeypatch, capsys):
    arena = Typed(monkeypatch, capsys)
    spring(sqlite)
    days = ("--from", "2026-03-31", "--to", "2026-04-30")
    found = json.loads(arena("moved", "amber", *days, "--format", "json", folder=tmp_path).stdout)
    assert sum(round(p * 10_000) for p in found["steps"].values()) == round(found["change"] * 10_000)
    table = arena("moved", "amber", *days, folder=tmp_path).stdout
    assert "new opponents" in table
    assert "dahlia (new)" in table
    rows = list(
        csv.DictReader(io.StringIO(arena("moved", "amber", *days, "--format", "csv", folder=tmp_path).stdout))
    )
    assert float(rows[-1]["points"]) == found["change"]
    assert arena("moved", "elm", *days, folder=tmp_path).returncode == 2

    past = json.loads(arena("leaderboard", "--at", "2026-03-31", "--format", "json", folder=tmp_path).stdout)
    assert (past["votes"], past["as_of"]) == (24, "2026-04-01T00:00:00+00:00")
    assert [row["model"] for row in past["models"]] == ["amber", "birch", "cedar"]
    assert "24 votes" in arena("leaderboard", "--at", "2026-03-31", folder=tmp_path).stdout
    assert "Write it as 2026-03-01 or" in arena("leaderboard", "--at", "march", folder=tmp_path).stderr
