"""A benchmark run has the cores to itself, and calls each model as it is fastest."""

import pytest

from arena.benchmarking.evaluated_models import client_for, evaluated_models, with_all_cores
from arena.config import LlamaCppSettings, ScriptedSettings
from arena.serving import model_clients
from arena.serving.local_weights import cores
from benchmarks.sample_tasks import sample_tasks
from benchmarks.task import RequestType


def llama(name, **more):
    return LlamaCppSettings(name=name, endpoint="llama_cpp", weights="smollm2-135m-instruct", **more)


def test_models_of_llama_cpp_share_the_cores_unless_their_settings_say_how_many():
    other = ScriptedSettings(name="scripted", endpoint="scripted", replies=("A",))
    assert with_all_cores([llama("one"), other]) == [llama("one", threads=cores()), other]
    pair = with_all_cores([llama("one"), llama("two"), llama("slow", threads=1)])
    assert [model.threads for model in pair] == [max(1, cores() // 2)] * 2 + [1]


def test_threads_change_no_key_of_the_reply_cache():
    [fast] = with_all_cores([llama("one")])
    assert model_clients.identity(fast) == model_clients.identity(llama("one"))


@pytest.mark.parametrize(("task", "at_once"), [("mmlu_circular-sample", 1), ("gsm8k-sample", 4)])
async def test_llama_cpp_reads_prompts_one_after_the_other(task, at_once):
    """Each of its slots would read the shared examples again; completions are written together."""
    settings = llama("one")
    clients = {"one": model_clients.model_client(settings)}
    [evaluated] = await evaluated_models(sample_tasks()[task], [settings], clients, None)
    assert evaluated.client.concurrency == at_once


def test_other_models_keep_their_number_of_calls_at_once():
    other = ScriptedSettings(name="scripted", endpoint="scripted", replies=("A",), concurrency=6)
    client = model_clients.model_client(other)
    assert client_for(other, client, RequestType.FIRST_TOKEN).concurrency == 6
