"""A benchmark run has the cores to itself."""

from arena.benchmarking.evaluated_models import with_all_cores
from arena.config import LlamaCppSettings, ScriptedSettings
from arena.serving import model_clients
from arena.serving.local_weights import cores


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
