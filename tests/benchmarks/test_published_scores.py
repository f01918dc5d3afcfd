"""The table of published scores: every row is about a shipped task and has a source, and settings that differ are named."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.published_scores import OWN_SHOTS, published_scores
from benchmarks.tasks import shipped

pytestmark = pytest.mark.unit
ROWS = [score for scores in published_scores().values() for score in scores]
SOURCE = re.compile(r"arXiv:\d{4}\.\d{5}|https://[\w.-]+/\S+")


def test_every_row_is_about_a_shipped_task_and_has_a_source():
    assert len(ROWS) > 100
    assert [score for score in ROWS if score.task not in shipped()] == []
    assert [score for score in ROWS if not SOURCE.fullmatch(score.source)] == []
    assert set(OWN_SHOTS) <= set(shipped())


def test_every_row_has_a_score_of_its_unit_and_a_setting():
    for score in ROWS:
        assert score.unit in ("percent", "perplexity")
        assert 0 < score.score <= 100
        assert score.kind in ("", "base", "chat")
        assert score.request in ("", *(kind.value for kind in shipped()[score.task].request_types))
        assert score.model
        assert score.metric


def test_no_row_is_there_twice():
    keys = [(score.task, score.model, score.metric, score.shots, score.kind, score.source) for score in ROWS]
    assert len(set(keys)) == len(keys)


def test_what_differs_from_a_run_is_named():
    score = next(row for row in published_scores()["gsm8k_cot"] if row.model == "Llama 2 7B")
    assert score.differences("generate", {"shots": 0}, {"exact_match": 0.1}) == []
    assert score.differences("generate", {"shots": 2, "limit": 50}, {"acc": 0.1}) == [
        "10 shots", "a part of the samples", "another metric",
    ]  # fmt: skip
    other = replace(score, request="loglikelihood", shots=None, differs="the test split")
    assert other.differences("first_token", {}, {"exact_match": 1.0}) == ["first token", "the test split"]
    assert score.own(0.146) == pytest.approx(14.6)
    assert replace(score, unit="perplexity").own(18.3) == 18.3
