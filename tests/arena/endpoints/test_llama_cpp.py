"""llama.cpp in its child process, with the real small models where their weights are."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from arena.endpoints import EndpointError, Failure, Finish, complete
from arena.endpoints.llama_cpp import LlamaCpp
from arena.serving.bundled import EMBEDDED
from arena.serving.configured_endpoints import make_endpoint
from arena.serving.downloads import KNOWN, is_fetched
from arena.serving.models import ServedModel

pytest.importorskip("xllamacpp")
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
async def served(request):
    """One embedded model, started."""
    settings = EMBEDDED[request.param]
    if not is_fetched(KNOWN[settings.weights]):
        pytest.skip(f"no weights of {settings.name}; type: arena demo --fetch-only")
    endpoint = make_endpoint(settings)
    await endpoint.start()
    yield ServedModel(settings, endpoint)
    await endpoint.close()


@pytest.mark.slow
@pytest.mark.parametrize("served", ["smollm", "gemma"], indirect=True)
async def test_a_small_real_model_knows_paris(served):
    requests = [served.request(QUESTION) | {"seed": n, "max_tokens": 40} for n in (1, 2, 3)]
    answers = [await complete(served.endpoint, request) for request in requests]
    assert any("Paris" in answer.text for answer in answers)
    for answer in answers:
        assert answer.finish.usage.completion_tokens > 0
        assert "Question:" not in answer.text
        assert "<|im_" not in answer.text


@pytest.mark.slow
@pytest.mark.parametrize("served", ["smollm"], indirect=True)
async def test_closing_a_stream_frees_the_model_and_a_killed_child_comes_back(served):
    long = served.request([{"role": "user", "content": "Count to ten thousand."}]) | {"max_tokens": 2000}
    stream = served.endpoint.stream(long)
    assert isinstance(await anext(stream), str)
    await stream.aclose()
    short = await asyncio.wait_for(complete(served.endpoint, served.request(QUESTION)), 60)
    assert short.text
    os.kill(served.endpoint._child.pid, signal.SIGKILL)
    await served.endpoint._child.wait()
    assert (await complete(served.endpoint, served.request(QUESTION))).finish.reason in ("stop", "length")


@pytest.mark.slow
@pytest.mark.parametrize("served", ["smollm"], indirect=True)
async def test_conversations_at_once_share_one_model(served):
    requests = [served.request(QUESTION) | {"max_tokens": 20, "seed": n} for n in range(4)]
    answers = await asyncio.gather(*(complete(served.endpoint, request) for request in requests))
    assert all(isinstance(answer.finish, Finish) and answer.text for answer in answers)


@pytest.mark.slow
@pytest.mark.parametrize("served", ["smollm"], indirect=True)
async def test_a_prompt_over_the_context_is_refused_with_the_reason(served):
    with pytest.raises(EndpointError) as caught:
        await complete(served.endpoint, served.request([{"role": "user", "content": "x " * 20_000}]))
    assert caught.value.failure is Failure.REFUSED
    assert "exceeds the available context size" in caught.value.detail


@pytest.mark.service
async def test_a_file_that_is_no_model_is_an_error_that_names_it(tmp_path):
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF but not really")

    async def find() -> str:
        return str(file)

    endpoint = LlamaCpp(find, alias="broken", report=lambda _text: None)
    with pytest.raises(EndpointError, match=r"broken\.gguf"):
        await endpoint.start()
    await endpoint.close()
