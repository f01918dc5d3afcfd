"""Judges whose servers refuse parameters: what was sent in their place stands in the report, and the run goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.refusing_server import has, openai_error, plain_reply, refusing_server, unless
from tests.support.typed import Done, Typed

MODELS = """
[[models]]
name = "good"
endpoint = "scripted"
replies = ["GOODMARK"]
delay = 0

[[models]]
name = "bad"
endpoint = "scripted"
replies = ["BADMARK"]
delay = 0

[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"
concurrency = {at_once}
"""
BASELINE = (
    "judge", "baseline", "--prompts", "set", "--baseline", "bad", "--judge", "judge", "--control-pairs", "0",
    "--format", "json",
)  # fmt: skip
PROMPTS = 12
NO_LOGPROBS = unless(has("logprobs"), openai_error("logprobs is not supported with this model"))
REFUSAL = openai_error("Unsupported value: 'n' must be 2 for this model. (request id: 2026112{}-ab12)", "n")

pytestmark = pytest.mark.service


def letter(body: Mapping[str, Any]) -> Any:
    """The right letter as a whole reply, without log-probabilities."""
    text = "".join(message["content"] for message in body["messages"])
    reply = plain_reply(body)
    reply["choices"][0]["message"]["content"] = "A" if text.index("GOODMARK") < text.index("BADMARK") else "B"
    return reply


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    typed = Typed(monkeypatch, capsys)

    def run(*arguments: str, code: int = 0) -> Done:
        done = typed(*arguments, folder=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    lines = (json.dumps({"id": f"p{number}", "prompt": f"Question {number}?"}) for number in range(PROMPTS))
    (tmp_path / "set.jsonl").write_text("\n".join(lines))
    return run


def configure(folder: Path, url: str, at_once: int = 1) -> None:
    (folder / "arena.toml").write_text(MODELS.format(url=url, at_once=at_once))


def answered(arena: Any) -> None:
    arena("prompts", "import", "set.jsonl")
    arena("answer", "--prompts", "set", "--models", "good,bad")


def test_verdicts_fall_back_to_letters_where_log_probabilities_are_refused(arena, tmp_path):
    with refusing_server(NO_LOGPROBS, reply=letter) as served:
        configure(tmp_path, served.url)
        answered(arena)
        first = arena(*BASELINE)
        again = arena(*BASELINE)  # everything from the reply cache
    report = json.loads(first.stdout)
    assert report["judged"] == report["by_letter"] == PROMPTS
    assert report["requests"]["adapted"] == {"judge": {"logprobs removed": 2 * PROMPTS}}
    assert [row["win_rate"] for row in report["models"] if row["model"] == "good"] == [100.0]
    assert len(served.refused) == 1
    repeated = json.loads(again.stdout)
    assert repeated["requests"]["from_journal"] == 2 * PROMPTS
    assert (repeated["by_letter"], repeated["requests"]["adapted"]) == (PROMPTS, report["requests"]["adapted"])


def test_the_table_names_what_was_changed(arena, tmp_path):
    with refusing_server(NO_LOGPROBS, reply=letter) as served:
        configure(tmp_path, served.url)
        answered(arena)
        told = arena(*BASELINE[:-2]).stderr
    assert told.count("logprobs removed, because its server refused it (24 replies)") == 1
    assert "12 of 12 verdicts were read by the judge's letter" in told


def test_verdicts_with_log_probabilities_are_not_by_letter(arena, tmp_path):
    def scored(body: Mapping[str, Any]) -> Any:
        reply = letter(body)
        [choice] = reply["choices"]
        top = [{"token": letter, "logprob": -0.7} for letter in "AB"]
        choice["logprobs"] = {
            "content": [{"token": choice["message"]["content"], "logprob": -0.7, "top_logprobs": top}]
        }
        return reply

    with refusing_server(reply=scored) as served:
        configure(tmp_path, served.url)
        answered(arena)
        report = json.loads(arena(*BASELINE).stdout)
    assert (report["judged"], report["by_letter"], report["requests"]["adapted"]) == (PROMPTS, 0, {})


def test_the_same_refusal_ends_the_run_and_names_the_setting_and_a_corrected_run_resumes(arena, tmp_path):
    served_first = 3

    def refuse_later(body: Mapping[str, Any]) -> Any:
        """After three replies the server wants another value."""
        return numbered(len(served.refused)) if len(served.answered) >= served_first and refuses else None

    refuses = True
    with refusing_server(refuse_later, reply=letter) as served:
        configure(tmp_path, served.url)
        answered(arena)
        stopped = arena(*BASELINE, code=1)
        report = json.loads(stopped.stdout)
        refuses = False
        resumed = json.loads(arena(*BASELINE).stdout)
    assert report["requests"]["ok"] == served_first
    assert report["requests"]["unusable"] == ["judge"]
    assert len(served.refused) == 20
    assert report["requests"]["failed"] == {"refused": 20, "not_asked": 2 * PROMPTS - served_first - 20}
    assert "`parameters = {n = false}`" in report["examples"]["not_asked"]
    assert resumed["requests"]["from_journal"] == served_first
    assert resumed["published"]


def numbered(number: int) -> tuple[int, Any]:
    status, body = REFUSAL
    return status, json.loads(json.dumps(body).replace("{}", str(number)))


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_server_that_refuses_everything_is_called_a_few_times(arena, tmp_path, at_once):
    with refusing_server(lambda _: numbered(0)) as served:
        configure(tmp_path, served.url, at_once)
        answered(arena)
        done = arena(*BASELINE[:-2], code=1)
    assert 5 <= len(served.refused) < 5 + at_once
    assert "judge cannot be used. Correct what the reason names" in done.stderr
    assert "`parameters = {n = false}`" in done.stderr


def test_refusals_of_prompts_do_not_end_the_run(arena, tmp_path):
    filtered = openai_error(
        "The response was filtered due to the prompt triggering our content management policy."
    )
    with refusing_server(lambda _: filtered) as served:
        configure(tmp_path, served.url)
        answered(arena)
        report = json.loads(arena(*BASELINE, code=1).stdout)
    assert len(served.refused) == report["requests"]["failed"]["refused"] == 2 * PROMPTS
    assert report["requests"]["unusable"] == []
