"""The pages to read, without a browser: what they hold, what their addresses mean, what they keep to themselves."""

from __future__ import annotations

import csv
import io
import re
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient
from lxml.html import document_fromstring
from sqlmodel import select

from arena.config import Settings
from arena.store import Database
from arena.store.explanations import add_explanation, battle_texts
from arena.store.schema.battles import Battle, Model
from arena.store.schema.benchmarks import BenchmarkRun
from arena.store.votes import add_vote, recount
from arena.web.app import create_app
from arena.web.plots.catalogue import MANY, PLOTS
from tests.support.arenas import ready
from tests.support.populated import count_many, populate, populated_file
from tests.support.populated_pages import loaded_settings, models_of_table, serving_of

MODELS, VOTES = 8, 120


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A database with a past."""
    database, names = populated_file(tmp_path_factory.mktemp("lived") / "arena.db", MODELS, VOTES)
    yield database, names
    database.close()


@pytest.fixture(scope="module")
def reader(lived_in):
    database, names = lived_in
    with TestClient(create_app(loaded_settings(names), database, serving_of(names))) as client:
        yield client


@pytest.mark.slow
def test_the_board_lists_all_models_with_their_facts(reader, lived_in):
    page = reader.get("/leaderboard")
    assert page.status_code == 200
    assert sorted(models_of_table(page.text)) == sorted(lived_in[1])
    assert f"{VOTES} votes · People" in page.text
    for said in ("Aurora Labs", "Apache-2.0", "0.05 / 0.20", "Win rate"):
        assert said in page.text


def test_the_table_says_what_the_json_says(reader):
    board = reader.get("/api/v1/leaderboard").json()
    rows = sorted(board["models"], key=lambda row: row["rank"] is None)  # those without a rank come last
    assert models_of_table(reader.get("/leaderboard").text) == [row["model"] for row in rows]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("q=aurora", ["aurora-1-instruct"]),
        ("q=COBALT+labs", ["cobalt-1"]),
        ("licence=MIT&sort=model", ["birch-1", "harbor-1"]),
        ("licence=unknown", ["ember-1"]),
        ("size=4B", ["aurora-1-instruct"]),
        ("price=0.5&sort=price", ["aurora-1-instruct", "birch-1", "cobalt-1", "delta-1-instruct"]),
        ("q=nobody", []),
    ],
)
def test_search_and_filters_are_in_the_address(reader, words, expected):
    assert models_of_table(reader.get(f"/leaderboard?{words}").text) == expected


def test_sorting_goes_both_ways_and_leaves_the_unknown_last(reader):
    up = models_of_table(reader.get("/leaderboard?sort=price").text)
    down = models_of_table(reader.get("/leaderboard?sort=-price").text)
    assert up[:-1] == down[:-1][::-1]
    assert up[-1] == down[-1] == "ember-1"
    votes = [int(cell.split("<")[0]) for cell in
             reader.get("/leaderboard?sort=-votes").text.split('data-label="Votes">')[1:]]  # fmt: skip
    assert votes == sorted(votes, reverse=True)


def test_columns_are_chosen_and_other_sources_are_shown(reader):
    page = reader.get("/leaderboard?columns=context,released&beside=judges,both").text
    assert 'data-label="Context"' in page
    assert 'data-label="Votes"' not in page
    assert page.count('data-label="Judges"') == MODELS
    assert page.count('data-label="People and judges"') == MODELS


def test_ticked_boxes_arrive_as_repeated_words(reader):
    page = reader.get("/leaderboard?columns=won&columns=lost").text
    assert 'data-label="Won"' in page
    assert 'data-label="Lost"' in page


BOARDS = (
    "source=both", "source=judges", "source=judge:north", "source=all", "method=davidson", "method=elo", "style=on",
    "method=davidson-strength", "method=ability",
    "category=code", "source=judges&category=math&style=on",
)  # fmt: skip


@pytest.mark.parametrize("words", BOARDS)
def test_every_board_can_be_opened(reader, words):
    page = reader.get(f"/leaderboard?{words}")
    assert page.status_code == 200
    assert len(models_of_table(page.text)) == MODELS


def test_style_control_says_what_style_is_worth(reader):
    assert "Effect of style on votes" in reader.get("/leaderboard?style=on").text
    style = reader.get("/api/v1/leaderboard?style=true").json()["style"]
    assert {"length", "headers"} & style.keys()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("source=people", "Source &#39;people&#39; is unknown"),
        ("method=glicko", "Use one of: bt, davidson, davidson-strength, ability, fresh, elo"),
        ("method=elo&style=on", "Style control needs method bt"),
        ("category=poetry", "Category &#39;poetry&#39; has no votes"),
        ("source=judge:nobody&category=overall&style=on", "&#39;judge:nobody&#39; has no verdicts"),
    ],
)
def test_a_board_that_is_not_there_is_explained(reader, words, said):
    page = reader.get(f"/leaderboard?{words}")
    assert page.status_code == 404
    assert said in page.text


def test_search_words_and_addresses_cannot_write_into_the_page(reader):
    for word in ("q", "sort", "columns", "beside", "licence", "source", "category"):
        page = reader.get("/leaderboard", params={word: '"><script>alert(1)</script>'})
        assert "<script>alert" not in page.text


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_every_plot_is_drawn_and_gives_its_data(reader, plot):
    figure = reader.get(f"/plots/{plot.name}.json").json()
    assert figure["data"]
    assert "notice" not in figure
    rows = reader.get(f"/plots/{plot.name}.data.json").json()
    table = list(csv.DictReader(io.StringIO(reader.get(f"/plots/{plot.name}.csv").text)))
    assert len(table) == len(rows) > 0
    assert list(table[0]) == list(rows[0])


def test_an_unknown_plot_is_not_found(reader):
    assert reader.get("/plots/pie.json").status_code == 404


def test_measured_and_expected_battles_have_the_same_sums(reader, lived_in):
    rows = reader.get("/plots/battle_counts.data.json").json()
    for name in lived_in[1]:
        own = [row for row in rows if row["model"] == name]
        assert sum(row["expected"] for row in own) == pytest.approx(sum(row["battles"] for row in own), abs=0.1)


def test_benchmarks_are_shown_with_ratings_and_their_correlation(reader):
    rows = reader.get("/plots/benchmarks.data.json").json()
    ratings_of = {row["model"]: row["rating"] for row in reader.get("/api/v1/leaderboard").json()["models"]}
    own = [row for row in rows if row["task"] == "arc-easy"]
    assert {row["model"]: row["rating"] for row in own} == pytest.approx(ratings_of)
    assert own[0]["correlation_lower"] < own[0]["correlation"] < own[0]["correlation_upper"]
    assert own[0]["correlation"] > 0.8, "the scores fall with the models' strengths"
    figure = reader.get("/plots/benchmarks.json").json()
    assert any(
        trace["name"].startswith(f"arc-easy: ρ = {own[0]['correlation']:.2f} (") for trace in figure["data"]
    )


def test_the_last_point_in_time_is_the_board(reader):
    board = {row["model"]: row for row in reader.get("/api/v1/leaderboard").json()["models"]}
    rows = reader.get("/plots/over_time.data.json").json()
    latest = {row["model"]: row for row in rows}  # dates rise
    assert latest.keys() == board.keys()
    for name, row in latest.items():
        assert row["rating"] == pytest.approx(board[name]["rating"])


def test_rank_robustness_of_a_missing_board_is_explained(reader):
    reply = reader.get("/leaderboard/fragility?source=nobody")
    assert reply.status_code == 404
    assert "Source &#39;nobody&#39; is unknown" in reply.text


def test_rank_robustness_names_neighbours(reader):
    whole, part = (reader.get("/leaderboard/fragility", headers=h).text for h in ({}, {"x-part": "1"}))
    assert "<html" in whole
    assert "<html" not in part
    board = reader.get("/api/v1/leaderboard").json()["models"]
    assert board[0]["model"] in part
    assert part.count("ahead of") == MODELS - 1


def test_any_two_models_and_a_model_s_neighbours_have_their_swap(reader):
    board = [row["model"] for row in reader.get("/api/v1/leaderboard").json()["models"]]
    page = reader.get("/leaderboard/fragility", params={"one": board[5], "other": board[1]}).text
    assert page.count("ahead of") == 1
    assert page.index(f">{board[1]}</a> <span") < page.index(f'<a href="/models/{board[5]}"')
    around = reader.get("/leaderboard/fragility", params={"one": board[3]}, headers={"x-part": "1"}).text
    assert around.count("ahead of") == 2
    assert all(f">{name}</a>" in around for name in board[2:5])
    for pair, said in (
        ((board[0], board[0]), "cannot swap ranks with itself"),
        ((board[0], "x"), "has no votes"),
    ):
        refused = reader.get("/leaderboard/fragility", params=dict(zip(("one", "other"), pair, strict=True)))
        assert refused.status_code == 404
        assert said in refused.text


def test_a_model_s_page_tells_of_opponents_categories_and_provenance(reader, lived_in):
    page = reader.get("/models/aurora-1-instruct").text
    for said in (
        "Aurora Labs",
        "Apache-2.0",
        "scripted",
        "Probability of being drawn first",
        "Variants tested privately before release",
        "On the public leaderboard since",
        "Watt-hours",
        "Strengths by category",
        "Judge north",
    ):
        assert said in page
    assert all(f'href="/models/{name}"' in page for name in lived_in[1][1:])


@pytest.mark.slow
def test_static_scores_stand_on_the_model_s_page(sqlite):
    names = populate(sqlite, 2, 2, tasks=False)
    run = {"task": "arc-easy", "dimension": "knowledge", "settings": "s", "config_hash": "d", "request_type": "first",
           "metric": "accuracy", "value": 0.625,
           "lower": 0.5, "upper": 0.75, "scored": 60, "unparsed": 3, "failed": 1}  # fmt: skip
    with sqlite.write() as session:
        session.add(
            BenchmarkRun(model_id=session.exec(select(Model.id).where(Model.name == names[0])).one(), **run)
        )
    with TestClient(create_app(loaded_settings(names), sqlite, serving_of(names))) as client:
        page = client.get(f"/models/{names[0]}").text
        assert "Static benchmarks" not in client.get(f"/models/{names[1]}").text
    for said in ("arc-easy", "0.625", "0.500 – 0.750"):
        assert said in page


def test_an_unknown_model_is_not_found(reader):
    page = reader.get("/models/no%2Fsuch%3Cb%3E")
    assert page.status_code == 404
    assert "no/such&lt;b&gt;" in page.text


def _cards(html: str) -> list[str]:
    return [part.split('"')[0] for part in html.split('<div class="prompt" dir="auto"><a href="/battles/')[1:]]


def test_only_battles_that_voters_agreed_to_show_can_be_read(reader, lived_in):
    with lived_in[0].read() as session:
        shared = {row.public_id: row.shared for row in session.exec(select(Battle))}
    listed, page = [], 1
    while found := _cards(reader.get(f"/battles?page={page}").text):
        listed += found
        page += 1
    assert sorted(listed) == sorted(public_id for public_id, agreed in shared.items() if agreed)
    hidden = next(public_id for public_id, agreed in shared.items() if not agreed)
    assert reader.get(f"/battles/{hidden}").status_code == 404
    assert reader.get(f"/battles/{listed[0]}").status_code == 200


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        ("q=lighthouse", "lighthouse"), ("q=LIGHTHOUSE+keeper", "lighthouse"), ("category=german", "Warum"),
        ("q=100%25", None), ("q=sorted_lists", None),
    ],
)  # fmt: skip
def test_battles_are_searched(reader, words, prompt):
    page = reader.get(f"/battles?{words}").text
    assert bool(_cards(page)) == (prompt is not None)
    links = [part.split("</a>")[0] for part in page.split('<div class="prompt">')[1:]]
    assert all(prompt in one for one in links)


@pytest.mark.parametrize("winner", ["won", "lost", "tie", "decided", "disputed"])
def test_battles_are_filtered_by_their_end(reader, winner):
    found = _cards(reader.get(f"/battles?model=birch-1&winner={winner}").text)
    everything = _cards(reader.get("/battles?model=birch-1").text)
    assert len(found) < len(everything) or winner in ("decided", "disputed")
    for public_id in found[:3]:
        assert "birch-1" in reader.get(f"/battles/{public_id}").text
    if winner == "won":
        assert all("A voter: <span class=\"won\">birch-1" in reader.get(f"/battles/{one}").text or
                   'Judge' in reader.get(f"/battles/{one}").text for one in found)  # fmt: skip


def test_a_battle_shows_votes_with_reasons_and_no_voter(reader):
    public_id = _cards(reader.get("/battles?source=judge:north").text)[0]
    page = reader.get(f"/battles/{public_id}").text
    assert "Judge north" in page
    assert "keeps to the question and shows its steps" in page
    assert "voter " not in page.replace("A voter", "")


def test_a_battle_links_to_its_explanation_only_if_there_is_one_or_it_can_be_made(reader, lived_in):
    disputed = reader.get("/battles?winner=disputed").text.split('href="/battles/')[1].split('"')[0]
    assert (
        f'href="/explain/{disputed}"' not in reader.get(f"/battles/{disputed}").text
    )  # no model has weights here
    assert reader.get(f"/explain/{disputed}").status_code == 200
    with lived_in[0].write() as session:
        add_explanation(session, battle_texts(session, disputed).id, "north", "loo", "hash", {})
    assert f'href="/explain/{disputed}"' in reader.get(f"/battles/{disputed}").text


def test_a_completion_can_neither_run_nor_fetch_anything(sqlite):
    from arena.web.markdown import markdown

    evil = "<script>hit()</script> ![p](http://127.0.0.1:9/x) [x](javascript:hit()) <img src=x onerror=hit()>"
    html = str(markdown(evil))
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


@pytest.mark.slow
def test_a_vote_is_on_the_next_page_and_the_version_rises(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    database.make_ready()
    names = populate(database, 3, 3)
    with TestClient(create_app(loaded_settings(names), database, serving_of(names))) as client:
        assert "3 votes" in client.get("/leaderboard").text
        before = client.get("/leaderboard/version").json()["last"]
        with database.write() as session:
            add_vote(session, 1, "judge:late", "judge:late", "tie", stopped_early=False)
        assert client.get("/leaderboard/version").json()["last"] == before + 1
        assert client.get("/api/v1/leaderboard?source=judge:late").json()["votes"] == 1
        with database.read() as session:
            assert recount(session) == []
    database.close()


@pytest.mark.slow
def test_an_empty_arena_says_so_everywhere(sqlite):
    with TestClient(create_app(Settings(), sqlite, ready())) as client:
        assert client.get("/leaderboard").status_code == 200  # models are registered at the start
        assert "0 votes" in client.get("/leaderboard").text
        assert "No battle is shared yet" in client.get("/battles").text
        for plot in PLOTS:
            assert client.get(f"/plots/{plot.name}.json").json()["notice"]
            assert client.get(f"/plots/{plot.name}.csv").status_code in (200, 404)
        assert "No two models have votes yet" in client.get("/leaderboard/fragility").text


@pytest.mark.slow
def test_three_hundred_models_are_a_page(sqlite):
    names = count_many(sqlite)
    with TestClient(create_app(Settings(), sqlite, ready())) as client:
        page = client.get("/leaderboard?q=juniper-1")
        assert set(models_of_table(page.text)) <= set(names)
        board = client.get("/leaderboard").text
        assert len(models_of_table(board)) == len(names), "the two that are served have no votes"
        figure = client.get("/plots/win_rates.json").json()
        assert len(figure["data"][0]["y" if "y" in figure["data"][0] else "z"]) == MANY
        assert "60 best of 300 models" in figure["note"]


def test_judged_battles_can_be_kept_from_readers(lived_in):
    database, names = lived_in
    with TestClient(create_app(loaded_settings(names, show_judged=False), database, serving_of(names))) as client:
        assert client.get("/battles").status_code == 200


def test_static_files_are_served_and_nothing_else(reader):
    assert "text/css" in reader.get("/reading/reading.css").headers["content-type"]
    assert reader.get("/reading/plotly.js").headers["content-encoding"] == "gzip"
    for path in ("/reading/nothing.css", "/reading/..%2Fapp.py", "/reading/app.py"):
        assert reader.get(path).status_code == 404


def test_headings_go_down_one_step_at_a_time_whatever_the_texts_hold(reader):
    battle = reader.get("/battles").text.split('href="/battles/')[1].split('"')[0]
    assert "<h3 dir=" in reader.get(f"/battles/{battle}").text  # the completion begins with "# …"
    for path in (
        "/leaderboard", "/leaderboard/moved?model=birch-1", "/leaderboard/fragility", "/models/birch-1", "/battles",
        f"/battles/{battle}", f"/explain/{battle}", "/benchmarks", "/benchmarks/0",
    ):  # fmt: skip
        levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", reader.get(path).text)]
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in pairwise(levels)), path


@pytest.mark.slow
def test_every_table_has_a_caption_and_every_interval_is_text(reader, lived_in):
    """A screen reader heard empty cells under Interval, and tables without a name."""
    model, other = lived_in[1][:2]
    for path in ("/leaderboard", f"/models/{model}", f"/leaderboard/compare?models={model}&models={other}",
                 "/benchmarks", "/leaderboard/moved", "/leaderboard/fragility"):  # fmt: skip
        page = document_fromstring(reader.get(path).text)
        tables = page.xpath("//main//table")
        assert tables, path
        assert [table.get("class") for table in tables if not table.xpath("./caption[normalize-space()]")] == [], (
            path
        )
    cells = document_fromstring(reader.get("/leaderboard").text).xpath("//td[@class='chart']")
    assert all(re.fullmatch(r"\d+–\d+", " ".join(cell.text_content().split())) for cell in cells)


@pytest.mark.slow
def test_every_share_on_the_pages_is_written_in_the_same_way(reader, lived_in):
    """72% stood beside 3 %, and 0.05 above 0.2."""
    for path in ("/leaderboard", f"/models/{lived_in[1][0]}", "/benchmarks", "/how-it-works"):
        text = document_fromstring(reader.get(path).text).text_content()
        assert re.findall(r".{0,20}\d %.{0,9}", text) == [], path
