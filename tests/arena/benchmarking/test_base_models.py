"""Base models in benchmarks: the published prompt is sent as it is, and settings say what has no place there."""

import pytest
from pydantic import ValidationError

from arena.benchmarking.config import BenchmarkConfig
from arena.benchmarking.run import run_benchmarks
from arena.config import LlamaCppSettings, OpenAISettings, Settings, TransformersSettings
from arena.serving.model_clients import identity
from arena.store import Database
from benchmarks.tasks.humaneval import STOP
from tests.arena.endpoints.test_raw_completions import completions_server


@pytest.mark.service
@pytest.mark.parametrize("task", ["humaneval", "mbpp", "gsm8k"])
def test_a_run_sends_the_published_prompt_and_its_stop_strings(tmp_path, task):
    with completions_server() as (endpoint, bodies):
        model = OpenAISettings(name="base", endpoint="openai", url=endpoint.url, api="completions")
        settings = Settings(database_url=f"sqlite:///{tmp_path / 'bench.db'}", models=[model])
        database = Database(settings.database_url)
        database.make_ready()
        config = BenchmarkConfig([task], ["base"], sample=True)
        [run] = run_benchmarks(database, settings, config).runs
        database.close()
    assert len(run.result.outcomes) == len(bodies)
    assert not any(outcome.reason == "no reply" for outcome in run.result.outcomes)
    assert all("messages" not in body for body in bodies)
    if task == "humaneval":
        prompts = {sample.fields["prompt"] for sample in run.selected.samples}
        assert {body["prompt"] for body in bodies} == prompts
        assert all(body["stop"] == list(STOP) for body in bodies)


@pytest.mark.parametrize(
    ("name", "value"), [("system_prompt", "Be brief."), ("images", True), ("chat_template", "{{ messages }}")]
)
def test_what_only_a_chat_has_is_refused_in_the_settings(name, value):
    if name == "chat_template":
        base, kind = {"name": "m", "endpoint": "llama_cpp", "path": "m.gguf"}, LlamaCppSettings
    else:
        base, kind = {"name": "m", "endpoint": "openai", "url": "http://127.0.0.1:1/v1"}, OpenAISettings
    assert kind(**base, **{name: value}).api == "chat"
    with pytest.raises(ValidationError, match=f"{name} must be removed"):
        kind(**base, **{name: value}, api="completions")


def test_only_completions_change_the_keys_of_saved_replies():
    chat = TransformersSettings(name="m", endpoint="transformers", source="folder")
    base = chat.model_copy(update={"api": "completions"})
    assert "api" not in identity(chat)
    assert identity(base) == {**identity(chat), "api": "completions"}
