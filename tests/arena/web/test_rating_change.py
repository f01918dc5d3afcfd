"""Past boards and why a rating moved, on the pages: the same as the commands and `/api/v1` tell."""

from __future__ import annotations

import tomllib
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

import ratings
from arena.config import ScriptedSettings, Settings
from arena.leaderboards.movers import movers
from arena.store.schema.battles import Vote, now
from arena.web.app import create_app
from arena.web.plots import rating_change_waterfall
from tests.support.arenas import ready
from tests.support.populated import populated_file, settings_of


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Eight models, 120 votes of people, spread over the last thirty days."""
    database, names = populated_file(tmp_path_factory.mktemp("moved") / "arena.db", 8, 120)
    with database.read() as session:
        last = session.scalar(select(func.max(Vote.created_at)))
    serving = ready(*(ScriptedSettings(name=name, endpoint="scripted", delay=0) for name in names))
    settings = Settings(**tomllib.loads(settings_of(names)))
    with TestClient(create_app(settings, database, serving)) as client:
        client.last_vote = last  # before midnight, where the tests run over it
        yield client
    database.close()


def day(ago: int) -> str:
    return f"{now() - timedelta(days=ago):%Y-%m-%d}"


def rating_change_page(reader, path: str = "/leaderboard/moved", **words: str):
    return reader.get(path, params={"from": day(20), "to": day(5), **words})


@pytest.mark.slow
def test_the_page_of_a_past_day_is_the_board_of_that_day(reader):
    past = reader.get("/api/v1/leaderboard", params={"at": day(10)}).json()
    page = reader.get("/leaderboard", params={"at": day(10)}).text
    assert f"{past['votes']:,} votes" in page
    assert past["votes"] < 120
    assert "filter every-1" in page
    assert "data-version" not in page, "the page of a past day waits for new votes"
    for row in past["models"]:
        line = page.split(f'<tr data-model="{row["model"]}">')[1].split("</tr>")[0]
        assert f'<td class="rating"><b>{row["rating"]:.0f}</b>' in line


def test_pictures_of_a_past_day_are_of_that_day(reader):
    past = {
        row["model"]: row["rating"] for row in reader.get(f"/api/v1/leaderboard?at={day(10)}").json()["models"]
    }
    rows = reader.get(f"/plots/intervals.data.json?at={day(10)}").json()
    assert {row["model"]: row["rating"] for row in rows} == pytest.approx(past)
    dates = [row["date"][:10] for row in reader.get(f"/plots/over_time.data.json?at={day(10)}").json()]
    assert max(dates) <= day(10)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"at": "1999-01-01"}, "The first vote is of"),
        ({"at": "soon"}, "is not a date"),
        ({"at": "2026-01-01", "method": "elo"}, "Past days have Bradley–Terry leaderboards only"),
        ({"at": "2026-01-01", "source": "both"}, "Past days have Bradley–Terry leaderboards only"),
    ],
)
def test_a_past_board_that_is_not_there_is_explained(reader, words, said):
    page = reader.get("/leaderboard", params=words)
    assert page.status_code == 404
    assert said in page.text


@pytest.mark.parametrize("style", ["", "true"])
def test_the_page_tells_the_steps_that_the_interface_tells(reader, style):
    message = rating_change_page(reader, "/api/v1/moved", model="birch-1", style=style or "false").json()
    page = rating_change_page(reader, model="birch-1", style=style).text
    assert f"{message['change']:+.1f} points" in page
    for name, points in message["steps"].items():
        assert (f">{name}</th><td>{points:+.1f}</td>" in page) is (abs(round(points, 1)) > 0)  # zeros are left out
    assert ("style" in message["steps"]) is bool(style)
    assert all(f'href="/models/{one["model"]}"' in page for one in message["opponents"])


def test_the_picture_stands_on_the_steps(reader):
    message = rating_change_page(reader, "/api/v1/moved", model="birch-1").json()
    trace = rating_change_page(reader, "/leaderboard/moved.json", model="birch-1").json()["data"][0]
    assert trace["text"][1:-1] == [f"{points:+.1f}" for points in message["steps"].values()]
    assert trace["y"][0] + sum(trace["y"][1:-1]) == pytest.approx(trace["y"][-1])
    assert "notice" in rating_change_page(reader, "/leaderboard/moved.json", model="nobody").json()


def test_on_its_first_day_an_arena_has_no_error_page_for_rating_changes(tmp_path):
    """From the day of the first vote to the same day was an error."""
    database, names = populated_file(tmp_path / "arena.db", 4, 40)
    with database.write() as session:
        session.execute(update(Vote).values(created_at=now()))
    serving = ready(*(ScriptedSettings(name=name, endpoint="scripted", delay=0) for name in names))
    with TestClient(create_app(Settings(**tomllib.loads(settings_of(names))), database, serving)) as client:
        page = client.get("/leaderboard/moved")
        assert page.status_code == 200
        assert f"All votes are of one day, {day(0)}. Rating changes are shown from the second day." in page.text
    database.close()


def test_without_a_model_all_rating_changes_are_listed_with_links(reader):
    whole, part = (reader.get("/leaderboard/moved", headers=more).text for more in ({}, {"x-part": "1"}))
    assert "<html" in whole
    assert "<html" not in part
    assert part.count("Causes of the change of ") == 8
    assert f"/leaderboard?at={reader.last_vote - timedelta(days=7):%Y-%m-%d}" in part
    assert 'data-part="/leaderboard/moved?' in reader.get("/leaderboard").text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"from": "2026-01-02", "to": "2026-01-01"}, "is not before"),
        ({"from": "then"}, "is not a date"),
        ({"to": "then"}, "is not a date"),
        ({"model": "nobody"}, "has no votes"),
        ({"source": "both", "model": "birch-1"}, "Source both has no steps"),
    ],
)
def test_an_undefined_change_names_the_reason(reader, words, said):
    page = rating_change_page(reader, **words)
    assert page.status_code == 404
    assert said in page.text


def test_movers_come_by_how_far_and_newcomers_last():
    first = ratings.leaderboard(["a", "b"] * 4, ["b", "a"] * 4, ["model_a"] * 8)
    second = ratings.leaderboard(["a", "b", "c"] * 4, ["b", "c", "a"] * 4, ["model_a", "tie", "tie"] * 4)
    found = movers(first, second)
    assert [one.model for one in found][-1] == "c"
    assert found[-1].change is None
    assert abs(found[0].change) >= abs(found[1].change)


def test_a_step_down_and_a_step_up_have_their_own_colours_and_signs():
    figure = rating_change_waterfall.figure(1000.0, {"new votes": 12.0, "filters": -3.0}, 1009.0)
    trace = figure.data[0]
    assert trace.increasing.marker.color != trace.decreasing.marker.color
    assert trace.text == ("1000.0", "+12.0", "-3.0", "1009.0")
