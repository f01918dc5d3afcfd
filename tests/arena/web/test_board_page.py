"""The table of `/leaderboard`: order, bands, highlights, retired models, and the comparison of chosen models."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update
from sqlmodel import col, select

from arena.config import Settings
from arena.store.explanations import ExplanationRow
from arena.store.imports import NewVote, add_votes
from arena.store.schema.battles import Battle, Model, PairCount, now
from arena.store.schema.judging import Prompt, PromptCompletion, PromptSet, ScoreRow
from arena.web.app import create_app
from tests.support.arenas import ready
from tests.support.populated import names_of, populate, populated_file, settings_of
from tests.support.populated_pages import loaded_settings, models_of_table, serving_of

MODELS, VOTES = 30, 600


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A database of thirty models."""
    database, names = populated_file(tmp_path_factory.mktemp("board") / "arena.db", MODELS, VOTES)
    yield database, names
    database.close()


@pytest.fixture(scope="module")
def reader(lived_in):
    database, names = lived_in
    with TestClient(create_app(loaded_settings(names), database, serving_of(names))) as client:
        yield client


@pytest.mark.slow
def test_a_column_is_sorted_high_first_on_the_first_click(reader):
    page = reader.get("/leaderboard").text
    head = page[page.index('<table class="board"') : page.index("</thead>")]
    links = dict(re.findall(r'<a href="([^"]+)">([A-Z][^<]+?)\s*<', head))
    first = {label.strip(): link for link, label in links.items()}
    assert first["Votes"] == "/leaderboard?sort=-votes"
    assert first["USD / M"] == "/leaderboard?sort=-price"
    assert first["Model"] == "/leaderboard?sort=model"
    assert first["Rating"] == "/leaderboard?sort=rating", "high first is the default"
    again = reader.get("/leaderboard?sort=-votes").text
    assert 'href="/leaderboard?sort=votes"' in again
    assert 'aria-sort="descending" title="votes on' in again


@pytest.mark.slow
def test_every_order_of_the_head_can_be_chosen_from_a_list(reader):
    page = reader.get("/leaderboard?sort=-price").text
    choices = re.findall(
        r'<option value="([^"]*)"( selected)?>', page.split('<select name="sort">')[1].split("</select>")[0]
    )
    assert ("-price", " selected") in choices
    assert {"", "rating", "-votes", "votes", "model", "organisation"} <= {value for value, _ in choices}


@pytest.mark.slow
def test_models_that_cannot_be_told_apart_stand_in_one_band(lived_in, reader):
    page = reader.get("/leaderboard").text
    bands = page.split('<tbody class="band"')[1:]
    assert len(bands) > 1
    assert "models that the votes do not tell apart from" in bands[0]
    assert [name for band in bands for name in models_of_table(band)] == models_of_table(page), (
        "bands keep the order of ratings"
    )
    assert 'class="band"' not in reader.get("/leaderboard?sort=-votes").text


@pytest.mark.slow
def test_the_highlights_are_of_the_first_band(reader):
    page = reader.get("/leaderboard").text
    first = set(models_of_table(page.split('<tbody class="band"')[1]))
    shown = page.split('<ul class="highlights"')[1].split("</ul>")[0]
    assert set(re.findall(r'href="/models/([^"]+)"', shown)) <= first


@pytest.mark.slow
def test_a_retired_model_is_marked_and_can_be_hidden(lived_in):
    database, names = lived_in
    kept = [name for name in names if name != "birch-1"]
    text = settings_of(kept).replace("released =", "retired = 2026-01-31\nreleased =", 1)
    text = text.replace('name = "cobalt-1"', 'name = "cobalt-1"\nenabled = false', 1)
    settings = Settings(**tomllib.loads(text))
    gone = {"birch-1", "cobalt-1", kept[0]}
    with TestClient(create_app(settings, database, serving_of(kept))) as client:
        page = client.get("/leaderboard").text
        assert "Hide retired (3)" in page
        rows = page.split("<tr data-model=")[1:]
        assert {row.split('"')[1] for row in rows if ">retired<" in row} == gone
        assert "2026-01-31" in page
        assert set(models_of_table(client.get("/leaderboard?retired=hide").text)) == set(names) - gone
        assert not gone & set(
            re.findall(r'href="/models/([^"]+)"', page.split('class="highlights"')[1].split("</ul>")[0])
        )


@pytest.mark.slow
def test_no_model_of_a_board_with_imported_votes_is_retired(lived_in):
    with TestClient(create_app(loaded_settings(names_of(32)[30:]), lived_in[0], ready())) as client:
        page = client.get("/leaderboard").text
        assert ">retired<" not in page


@pytest.mark.slow
def test_chosen_models_are_compared_at_an_address(reader, lived_in):
    names = [lived_in[1][0], lived_in[1][1], lived_in[1][20]]
    page = reader.get("/leaderboard/compare", params={"models": names}).text
    board = {row["model"]: row for row in reader.get("/api/v1/leaderboard").json()["models"]}
    for name in names:
        row = board[name]
        assert (
            f'<b>{row["rating"]:.0f}</b> <span class="spread">{row["lower"]:.0f}–{row["upper"]:.0f}</span>' in page
        )
    assert "against " + names[1] in page
    assert "USD / M" in page
    assert "Ratings by category" in page
    rows = reader.get("/leaderboard/compare/categories.csv", params={"models": names}).text
    assert names[0] in rows
    assert names[2] in rows
    assert reader.get("/leaderboard/compare/categories.json", params={"models": names}).json()["data"]


@pytest.mark.slow
def test_win_rates_of_two_models_add_up(reader, lived_in):
    counts = {
        (row["model"], row["opponent"]): row
        for row in reader.get("/plots/win_rates.data.json").json()
        if row["battles"]
    }
    pair = next(iter(counts))
    page = reader.get("/leaderboard/compare", params={"models": pair}).text
    rate = counts[pair]["win_rate"]
    assert f"<b>{100 * rate:.0f}%</b>" in page
    assert f"{counts[pair]['battles']} battle" in page


@pytest.mark.parametrize("chosen", [[], [0], [0, 1, 2, 3, 4, 5, 6]])
@pytest.mark.slow
def test_two_to_five_models_are_compared(reader, lived_in, chosen):
    page = reader.get("/leaderboard/compare", params={"models": [lived_in[1][n] for n in chosen]})
    assert page.status_code == 200
    if len(chosen) < 2:
        assert "Choose two to five models" in page.text
    else:
        assert page.text.count('aria-label="Remove ') == 5


@pytest.mark.slow
def test_an_unknown_model_or_source_of_a_comparison_is_explained(reader, lived_in):
    page = reader.get("/leaderboard/compare", params={"models": [lived_in[1][0], "no<b>such"]})
    assert "There is no model “no&lt;b&gt;such” on this leaderboard" in page.text
    refused = reader.get("/leaderboard/compare", params={"models": lived_in[1][:2], "source": "nobody"})
    assert refused.status_code == 404
    assert "Source &#39;nobody&#39; is unknown" in refused.text


@pytest.mark.slow
def test_thirty_models_are_all_in_the_heat_maps_or_those_of_a_search(reader, lived_in):
    figure = reader.get("/plots/win_rates.json").json()
    assert len(figure["data"][0]["z"]) == MODELS
    assert "note" not in figure
    found = reader.get("/plots/win_rates.json?q=aurora").json()
    assert found["data"][0]["y"] == [name for name in figure["data"][0]["y"] if name.startswith("aurora")]
    narrow = reader.get("/plots/win_rates.json?narrow=1").json()
    assert "16 best of 30 models are drawn" in narrow["note"]
    assert narrow["all"].startswith("/leaderboard?plot=win_rates&draw=all")
    assert len(reader.get("/plots/win_rates.json?narrow=1&draw=all").json()["data"][0]["z"]) == MODELS
    nothing = reader.get("/plots/win_rates.json?q=nobody").json()
    assert nothing == {"notice": "No model of this plot matches the search."}


@pytest.mark.slow
def test_a_cell_with_few_battles_is_pale(reader):
    figure = reader.get("/plots/win_rates.json").json()
    cells, veil = figure["data"]
    assert veil["meta"] == "veil"
    pairs = [
        (battles, shown)
        for row, uncovered in zip(cells["customdata"], veil["z"], strict=True)
        for battles, shown in zip(row, uncovered, strict=True)
        if battles
    ]
    assert all(0 < shown <= 1 for _, shown in pairs)
    assert max(pairs)[1] > min(pairs)[1]


@pytest.mark.slow
def test_one_plot_is_open_and_the_others_are_tabs(reader):
    page = reader.get("/leaderboard?plot=win_rates").text
    assert page.count("<figure") == 1
    assert 'id="plot-win_rates"' in page
    tabs = page.split('id="tabs"')[1].split("</nav>")[0]
    assert 'aria-current="true">Win rates</a>' in tabs
    assert 'href="/leaderboard?plot=pareto#plots"' in tabs
    assert 'id="plot-intervals"' in reader.get("/leaderboard?plot=nosuch").text


@pytest.mark.slow
def test_expected_battles_are_offered_only_where_sampling_was_uneven(reader, sqlite):
    assert "Expected battles" not in reader.get("/leaderboard").text
    names = populate(sqlite, 6, 60, tasks=False)
    with sqlite.write() as session:
        session.execute(
            update(PairCount)
            .where(PairCount.model_a_id == 1, PairCount.model_b_id == 2)
            .values(wins=PairCount.wins + 80)
        )
    with TestClient(create_app(loaded_settings(names), sqlite, serving_of(names))) as client:
        assert "Expected battles" in client.get("/leaderboard").text


@pytest.mark.slow
def test_ratings_that_did_not_move_are_one_sentence(reader, sqlite):
    names = populate(sqlite, 6, 60, tasks=False)
    with TestClient(create_app(loaded_settings(names), sqlite, serving_of(names))) as client:
        days = {"from": f"{now() - timedelta(days=1):%Y-%m-%d}", "to": f"{now() + timedelta(days=1):%Y-%m-%d}"}
        still = {"from": f"{now() + timedelta(days=1):%Y-%m-%d}", "to": f"{now() + timedelta(days=2):%Y-%m-%d}"}
        assert "+0.0" not in client.get("/leaderboard/moved", params=days).text
        page = client.get("/leaderboard/moved", params=still).text
        assert "No rating changed by half a point or more" in page
        assert "+0.0" not in page


@pytest.mark.slow
def test_an_explanation_is_offered_where_it_can_run_or_is_stored(sqlite):
    names = populate(sqlite, 2, 4, tasks=False)
    with sqlite.write() as session:
        battle = session.exec(select(Battle).where(col(Battle.shared))).first()
        public_id, number = battle.public_id, battle.id
    with TestClient(create_app(loaded_settings(names), sqlite, serving_of(names))) as client:
        assert "/explain/" not in client.get(f"/battles/{public_id}").text
        with sqlite.write() as session:
            session.add(
                ExplanationRow(
                    battle_id=number, judge="j", method="occlusion", config_hash="d" * 64, document="{}"
                )
            )
        assert f'href="/explain/{public_id}"' in client.get(f"/battles/{public_id}").text


def test_scores_of_a_single_judge_are_on_the_model_s_page(sqlite):
    names = populate(sqlite, 2, 2, tasks=False)
    with sqlite.write() as session:
        model = session.exec(select(Model.id).where(Model.name == names[0])).one()
        session.add(PromptSet(id=1, name="mt-bench", source="file", sha256="0" * 64))
        session.flush()
        for number, score in enumerate((7.0, 9.0), start=1):
            session.add(Prompt(id=number, set_id=1, key=str(number), number=number, messages="[]"))
            session.flush()
            session.add(PromptCompletion(id=number, prompt_id=number, model_id=model, text="x"))
            session.flush()
            session.add(ScoreRow(completion_id=number, source="judge:north", score=score, config_hash="d" * 64))
    with TestClient(create_app(loaded_settings(names), sqlite, serving_of(names))) as client:
        page = client.get(f"/models/{names[0]}").text
        assert "Scores by judges" in page
        assert "<td>8.00</td><td>1.00</td><td>2</td>" in page
        assert "Scores by judges" not in client.get(f"/models/{names[1]}").text


@pytest.mark.slow
def test_a_chinese_reader_gets_the_board_in_chinese(reader):
    page = reader.get("/leaderboard", headers={"accept-language": "zh-CN"}).text
    for text in ("评分最高", "排行榜", "如何阅读此表"):
        assert text in page
    assert "Highest rated" not in page


def test_models_without_a_rank_stand_apart_at_the_end(tmp_path):
    database, names = populated_file(tmp_path / "arena.db", 4, 200)
    votes = [NewVote(f"n{n}", "new", "old", "model_a", "human", f"v{n}", now()) for n in range(3)]
    with database.write() as session:
        add_votes(session, votes)
    with TestClient(create_app(loaded_settings(names), database, serving_of(names))) as client:
        page = client.get("/leaderboard").text
        plain = client.get("/leaderboard?sort=rating").text
    database.close()
    *ranked, rest = page.split("<tbody")[1:]
    assert "No rank yet" in rest
    assert models_of_table(rest) == ["new", "old"]
    assert {name for part in ranked for name in models_of_table(part)} == set(names)
    assert "No rank yet" not in plain
