"""The page of a judge run with a rubric: columns by criterion and by judge, filters, and what each reply says."""

from __future__ import annotations

import contextlib
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from arena.config import read_settings, reply_cache_path
from arena.store import Database
from arena.web.run_pages.view import Documents
from tests.support.grading_judge import graded
from tests.support.refusing_server import refusing_server
from tests.support.typed import Typed, typed

RUBRIC = Path(__file__).parents[3] / "docs" / "rubric.yaml"
SETTINGS = """
[[models]]
name = "strict"
endpoint = "openai"
enabled = false
url = "{url}"
[[models]]
name = "mild"
endpoint = "openai"
enabled = false
url = "{url}"
"""
JUDGES = "Judges of the panel"
MODELS = {"good": "GOOD", "fair": "FAIR", "poor": "POOR"}
PROMPTS = 6
BY = (
    "--prompts",
    "set",
    "--panel",
    "strict,mild",
    "--rubric",
    "rubric.yaml",
    "--report",
    "out.html",
    "--format",
    "json",
)
MODES = {
    "single": (),
    "baseline": ("--baseline", "fair", "--control-pairs", "0"),
    "pairwise": ("--control-pairs", "0"),
}


def two_judges(body):
    """Gradings of two judges: the mild one finds everything half correct, friendly and complete."""
    reply = graded(body)
    values = json.loads(reply["choices"][0]["message"]["content"])
    if body["model"] == "mild":
        values |= {key: 3 for key in values if key.startswith("correct")}
        values |= {key: 10 for key in values if key.startswith("complete")}
        values |= {key: "friendly" for key in values if key.startswith("tone")}
    values["reason"] = f"{body['model']} <b>by the words</b>."
    reply["choices"][0]["message"]["content"] = json.dumps(values)
    return reply


class Tables(HTMLParser):
    """The texts of the tables of a page, by label: rows of cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if given.get("role") == "region":
            self.rows = self.found.setdefault(given["aria-label"], [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.inside = True
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def prepared(run, folder, url):
    shutil.copy(RUBRIC, folder / "rubric.yaml")
    (folder / "arena.toml").write_text(SETTINGS.format(url=url))
    prompts = [{"id": f"q{n}", "prompt": f"Question {n}?"} for n in range(PROMPTS)]
    (folder / "set.jsonl").write_text("\n".join(map(json.dumps, prompts)))
    answers = [
        {"id": row["id"], "model": model, "completion": f"{word} answer to {row['prompt']}"}
        for row in prompts
        for model, word in MODELS.items()
    ]
    (folder / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    run("prompts", "import", "set.jsonl")
    run("completions", "import", "answers.jsonl", "--prompts", "set")


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    command = Typed(monkeypatch, capsys)

    def run(*words):
        done = command(*words, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.mark.parametrize("mode", MODES)
def test_the_page_has_a_column_for_each_criterion_with_its_interval_and_for_each_judge(arena, tmp_path, mode):
    with refusing_server(reply=two_judges) as server:
        prepared(arena, tmp_path, server.url)
        report = json.loads(arena("judge", mode, *MODES[mode], *BY).stdout)
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    tables = Tables(page).found
    value = {"single": "score", "baseline": "win_rate", "pairwise": "rating"}[mode]
    decimals = {"single": 2, "baseline": 1, "pairwise": 0}[mode]
    heads, *rows = tables["By criterion"]
    assert heads == ["model", "correct (weight 3)", "complete (weight 2)", "tone (weight 1)"]
    assert [row[0] for row in rows] == [row["model"] for row in report["models"]]
    for model, *cells in rows:
        for name, cell in zip(("correct", "complete", "tone"), cells, strict=True):
            [own] = [row for row in report["criteria"] if (row["criterion"], row["model"]) == (name, model)]
            number, low, high = (f"{own[key]:,.{decimals}f}" for key in (value, "lower", "upper"))
            assert cell == f"{number} ({low} – {high})"
    heads, *rows = tables["Judges of the panel"]
    assert heads == ["model", "panel", "strict", "mild", "spread"]
    for row, own in zip(rows, report["models"], strict=True):
        numbers = [own[value], own["judges"]["strict"], own["judges"]["mild"]]
        assert row[1:4] == [f"{number:,.{decimals}f}" for number in numbers]
    assert "<b>by the words" not in page
    settings = read_settings(tmp_path / "arena.toml")
    pages = Documents(Database(settings.database_url), settings, reply_cache_path(settings, None))
    viewed = pages.document("judge", "1")
    assert [(board.title, len(board.rows)) for board in viewed.boards if board.title in ("By criterion", JUDGES)] == [
        ("By criterion", len(report["models"])), (JUDGES, len(report["models"])),
    ]  # fmt: skip
    assert "correct" in viewed.orders or mode != "single"


def test_a_single_score_shows_each_criterion_each_judge_and_the_reasons(arena, tmp_path):
    with refusing_server(reply=two_judges) as server:
        prepared(arena, tmp_path, server.url)
        arena("judge", "single", *BY)
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    tables = Tables(page).found
    heads = ["", "weight", "value", "scale"]
    values = tables["Values"]
    assert values.count(heads) == PROMPTS * len(MODELS)
    labels = [row[0] for row in values[: values.index(heads, 1)]]
    assert labels == ["", "correct", "complete", "tone", "judge strict", "judge mild"]
    assert {row[3] for row in values if row[0] == "correct"} == {"1 – 5"}
    assert {row[2] for row in values if row[0] == "tone"} & {"rude", "cold", "friendly"}
    assert page.count("mild &lt;b&gt;by the words&lt;/b&gt;.") >= 2 * PROMPTS * len(MODELS)  # read, and as it came
    assert 'data-tag="judges-disagree"' in page
    assert 'data-tag="low-0"' in page


def test_a_pair_shows_the_preferred_model_by_criterion_and_the_values_of_both_orders(arena, tmp_path):
    with refusing_server(reply=two_judges) as server:
        prepared(arena, tmp_path, server.url)
        arena("judge", "baseline", *MODES["baseline"], *BY, "--order", "both")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    tables = Tables(page).found
    assert ["", "weight", "preferred", "preference"] in tables["Values"]
    assert {row[2] for row in tables["Values"] if row[0] == "correct"} <= {"good", "fair", "tie"}
    assert page.count("<bdi>good 3, fair 3</bdi>") == page.count("<bdi>fair 3, good 3</bdi>") == PROMPTS


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rubric")
    with contextlib.chdir(folder), refusing_server(reply=two_judges) as server:
        prepared(typed, folder, server.url)
        typed("judge", "single", *BY)
    return folder / "out.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_criteria_filter_and_order_the_samples_and_nothing_scrolls_sideways(
    written, browser: Browser, width, scheme
):
    context = browser.new_context(viewport={"width": width, "height": 800}, offline=True, color_scheme=scheme)
    page = context.new_page()
    page.goto(written.as_uri())
    shown = page.locator(".run-sample:visible")
    expect(shown).to_have_count(PROMPTS)
    for summary in page.locator(".run-sample > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#run-order").select_option(label="lowest correct first")
    places = [float((one.get_attribute("data-values") or "").split()[0]) for one in shown.all()]
    assert places == sorted(places)
    page.locator("td a[data-tag=criterion-1-0]").click()
    expect(page.locator("#run-count")).to_contain_text("complete (weight 2)")
    expect(shown).to_have_count(PROMPTS)
    chip = page.locator(".chip", has_text="correct: lower half of the scale")
    chip.click()
    expect(page.locator("#run-count")).to_contain_text(f"{chip.inner_text().split()[-1]} of {PROMPTS} samples")
    context.close()
