"""A run as one HTML file: nothing is loaded, nothing of a model's text runs, and every number leads to its samples."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from arena.web.run_pages.document import LONGEST, Completion, Message, RunDocument, ShownSample, shortened
from arena.web.run_pages.file import FEW, MOST, html
from tests.arena.cli.test_bench import kitchen  # noqa: F401
from tests.arena.web.hostile_markdown import TEXTS
from tests.support.faulty_judge import FaultyJudge
from tests.support.judged_sets import HOSTILE, a_set
from tests.support.typed import Done, Typed

RUN = ("judge", "pairwise", "--prompts", "set", "--judge", "judge", "--format", "json", "--report", "out.html")


class Tags(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[str] = []  # of the elements that hold samples
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and self.found[-1] == ("script", {"type": "application/json"}):
            self.data.append(data)


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    run = Typed(monkeypatch, capsys)

    def typed(*words: str, code: int | None = 0) -> Done:
        done = run(*words, folder=tmp_path)
        assert code is None or done.returncode == code, done.stderr
        return done

    return typed


def report(folder: Path) -> str:
    return (folder / "out.html").read_text(encoding="utf-8")


def assert_closed(text: str) -> None:
    """Nothing in the page loads anything, and no element or attribute runs but the page's own script."""
    found = Tags(text).found
    names = [tag for tag, _ in found]
    assert names.count("script") == 1
    assert names.count("style") == 1
    assert not set(names) & {"img", "iframe", "object", "embed", "link", "svg", "video", "audio", "base"}
    attributes = [(name, value or "") for _, given in found for name, value in given.items()]
    assert [name for name, _ in attributes if name.startswith("on") or name in ("src", "srcset", "action")] == []
    assert [value for name, value in attributes if name == "href" and value.lower().startswith("javascript")] == []
    assert re.findall(r"@import|url\((?!\"data:)", text[text.index("<style>") : text.index("</style>")]) == []


@pytest.mark.parametrize("times", [0, 1])
def test_a_report_has_the_board_both_orders_raw_replies_tries_and_costs(arena, tmp_path, times):
    with FaultyJudge(share=0.4, times=times, faults=("500",)) as judge:
        a_set(arena, tmp_path, judge.url, [(f"Alpha {n}.", f"Beta {n} with more.") for n in range(8)])
        done = json.loads(arena(*RUN, code=None).stdout)
    text = report(tmp_path)
    assert_closed(text)
    assert text.count("alpha shown first") == text.count("beta shown first") == 8
    assert text.count("I compared them. [[") >= 16
    assert f"{done['judged']:,}" in text
    assert "Question 3?" in text
    assert "Request 1 of the first case, as sent to judge" in text
    assert ("2 tries" in text) == (times == 1)
    assert "kind 0" in text
    assert "Control pairs" in text
    assert "$0.0" in text  # the judge has a price
    assert str(tmp_path) not in text


def test_unparsed_replies_are_in_the_report_with_their_text(arena, tmp_path):
    with FaultyJudge(share=1.0, times=99, faults=("no verdict",)) as judge:
        a_set(arena, tmp_path, judge.url, [("One.", "Two."), ("Three.", "Four.")])
        done = json.loads(arena(*RUN, code=1).stdout)
    assert done["judged"] == 0
    text = report(tmp_path)
    assert "Both are fine." in text
    assert "The verdicts were not published" in text
    assert 'data-tag="unparsed"' in text


def test_scores_of_single_completions_are_in_the_report(arena, tmp_path):
    (tmp_path / "judge.toml").write_text("")
    with FaultyJudge(reply='{"strengths": "<b>", "weaknesses": "", "score": "7"}') as judge:
        a_set(arena, tmp_path, judge.url, [("One.", "Two."), ("Three.", "Four.")])
        arena("judge", "single", "--prompts", "set", "--judge", "judge", "--report", "out.html")
    text = report(tmp_path)
    assert_closed(text)
    assert text.count("score 7") >= 4
    assert "mean score" in text


def test_no_text_of_a_prompt_completion_or_judge_is_markup(arena, tmp_path):
    texts = [(text, text + " other") for text in (*HOSTILE, *(text.replace("\0", "0") for text in TEXTS[::9]))]
    with FaultyJudge(reply="[[A]]" + "".join(HOSTILE)) as judge:
        a_set(arena, tmp_path, judge.url, texts, [one for one, _ in texts])
        arena(*RUN, code=None)
    assert_closed(report(tmp_path))


def test_a_run_with_a_report_in_a_place_that_cannot_be_written_makes_no_call(arena, tmp_path):
    with FaultyJudge() as judge:
        a_set(arena, tmp_path, judge.url, [("One.", "Two.")])
        done = arena(*RUN[:-1], "none/out.html", code=2)
        assert "there is no folder none" in done.stderr
        assert "is a folder" in arena(*RUN[:-1], ".", code=2).stderr
        assert "--report needs a run" in arena(*RUN, "--dry-run", code=2).stderr
        assert not judge.calls


def a_document(samples: int) -> RunDocument:
    words = "A completion of some length, as models write them. " * 20
    shown = [
        ShownSample(
            f"p{n}", "", [Message("user", f"Question {n}?")], [Completion("a", words), Completion("b", words + str(n))],
            tags=frozenset({"unparsed"} if n == samples - 1 else ()),
        )
        for n in range(samples)
    ]  # fmt: skip
    return RunDocument("Judge run", "judge · set", datetime(2026, 1, 5, tzinfo=UTC), (), (), (), (), shown)


def test_a_thousand_samples_are_a_file_of_a_few_megabytes():
    assert len(html(a_document(1000)).encode()) < 5_000_000


def test_the_samples_of_a_long_run_are_data_that_no_text_of_theirs_ends():
    sample = a_document(1).samples[0]
    texts = [*HOSTILE, "<!--<script>", "</script", "\\u003c/script>"]
    shown = [replace(sample, completions=[Completion("a", text, plain=True)]) for text in texts * 40]
    text = html(replace(a_document(1), samples=shown))
    blocks = Tags(text).data
    assert len(blocks) == len(shown) > FEW
    assert all("<section" in json.loads(block) for block in blocks)
    assert text.count("</script>") == len(shown) + 1
    assert [name for name, _ in Tags(text).found if name in ("img", "svg")] == []


def test_a_file_has_up_to_two_thousand_samples_and_those_with_a_problem_first():
    text = html(a_document(MOST + 100))
    assert text.count('<details class="run-sample"') == MOST
    assert f"Question {MOST + 99}?" in text  # the last one, which is unparsed
    assert f"Question {MOST - 2}?" in text
    assert f"Question {MOST - 1}?" not in text
    assert "This file has 2,000 of 2,100 samples" in text


def test_a_very_long_text_loses_its_middle():
    text = shortened("a" * LONGEST + "b" * LONGEST)
    assert text.startswith("a" * 100)
    assert text.endswith("b" * 100)
    assert f"{LONGEST:,} characters are not shown" in text
    assert shortened("a" * LONGEST) == "a" * LONGEST


def test_benchmark_runs_have_a_report_after_the_run_and_later(monkeypatch, capsys, kitchen):  # noqa: F811
    typed = Typed(monkeypatch, capsys)
    words = ("bench", "run", "kitchen.py", "--models", "sure,lost", "--format", "json", "--report", "out.html")
    done = typed(*words, folder=kitchen)
    assert done.returncode == 0, done.stderr
    text = report(kitchen)
    assert_closed(text)
    assert text.count('<details class="run-sample"') == 3
    assert text.count("Who knows?") >= 3
    assert "as sent to sure" in text
    assert "How hot?" in text
    number = json.loads(done.stdout)[0]["run"]
    assert typed("bench", "show", str(number), "--report", "one.html", folder=kitchen).returncode == 0
    assert_closed((kitchen / "one.html").read_text())
    assert typed("bench", "show", "--report", "one.html", folder=kitchen).returncode == 2
