"""A benchmark against a server that refuses parameters: what was sent in their place is in the saved run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from arena.benchmarking.config import BenchmarkConfig
from arena.benchmarking.run import run_benchmarks
from arena.benchmarking.stored_runs import all_runs
from arena.cli.progress import print_adapted
from arena.config import OpenAISettings, Settings
from arena.store import open_database
from benchmarks.task import RequestType
from tests.support.refusing_server import has, openai_error, plain_reply, refusing_server, unless

pytestmark = pytest.mark.service
TASK = """
from benchmarks.choice import MultipleChoice, by_letter, lettered, own_choice
from benchmarks.known_files import own

TASKS = (
    MultipleChoice(
        name="sums", dimension="knowledge", licence="mine", read=own_choice, options=by_letter,
        sources={"test": [own("sums.jsonl", "question", "choices", "answer")]},
        prompt=lambda sample: f"{lettered(sample)}\\nAnswer:",
    ),
)
"""
NO_TEMPERATURE = unless(
    has("temperature"),
    openai_error("Unsupported value: 'temperature' does not support 0 with this model. Only the default."),
)
NO_LOGPROBS = unless(has("logprobs"), openai_error("logprobs is not supported with this model"))


def reply(body: Mapping[str, Any]) -> Any:
    whole = plain_reply(body)
    whole["choices"][0]["message"]["content"] = "Answer: A"
    return whole


@pytest.fixture
def run(tmp_path):
    rows = [
        {"id": f"r{n}", "question": f"Which, {n}?", "choices": ["one", "two"], "answer": "A"} for n in range(3)
    ]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "sums.py").write_text(TASK)

    def made(url: str, **given: Any) -> list[dict[str, Any]]:
        model = OpenAISettings(name="judge", endpoint="openai", url=url, **given)
        settings = Settings(database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=[model])
        with open_database(settings.database_url) as database:
            database.make_ready()
            config = BenchmarkConfig([str(tmp_path / "sums.py")], ["judge"], max_tokens=99)
            rows = run_benchmarks(database, settings, config).rows()
            with database.read() as session:
                [stored] = all_runs(session)
        return [*rows, stored]

    return made


def test_the_run_and_its_stored_row_name_what_was_changed_also_from_the_reply_cache(run):
    with refusing_server(NO_LOGPROBS, NO_TEMPERATURE, reply=reply) as served:
        first, stored = run(served.url)
        again, stored_again = run(served.url)
    assert first["rung"] == RequestType.GENERATE
    assert first["value"] == 1.0
    assert first["adapted"] == again["adapted"] == {"temperature removed": 3}
    assert stored["options"]["adapted"] == stored_again["options"]["adapted"] == {"temperature removed": 3}
    assert again["from_journal"] == 3


def test_a_model_with_the_new_limit_gets_one_limit_and_removed_parameters_are_not_sent(run):
    with refusing_server(NO_LOGPROBS, reply=reply) as served:
        [first, stored] = run(served.url, parameters={"max_completion_tokens": 500, "temperature": False})
        sent = [body for body in served.answered if "logprobs" not in body][-3:]
    assert (first["adapted"], "adapted" in stored["options"]) == ({}, False)
    assert {body["max_completion_tokens"] for body in sent} == {99}
    assert not any("max_tokens" in body or "temperature" in body for body in sent)


def test_the_terminal_names_each_change_once():
    console = Console(record=True, width=200, force_terminal=False)
    print_adapted({"judge": {"temperature removed": 3, "[red]x": 1}}, console)
    assert console.export_text().splitlines() == [
        "judge: temperature removed, because its server refused it (3 replies)",
        "judge: [red]x, because its server refused it (1 replies)",
    ]
