"""Generation without a chat template: by `/completions` of a server, and by weights in this process."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from arena.endpoints.adaptation import ADAPTED
from arena.endpoints.endpoint import EndpointError, Failure, answer, complete
from arena.endpoints.openai import OpenAI
from arena.endpoints.raw_completions import COMPLETIONS, as_chat, chat_logprobs, raw_prompt, sent_body

PROMPT = 'def two():\n    """Two."""\n'
REQUEST = {
    "messages": [{"role": "user", "content": PROMPT}],
    "max_tokens": 9,
    "temperature": 0,
    "stop": ["\ndef"],
}
LISTS = {
    "tokens": [" B"],
    "token_logprobs": [-0.5],
    "top_logprobs": [{" A": -1.0, " B": -0.5}],
    "text_offset": [0],
}
SAID = {
    "id": "cmpl-1",
    "object": "text_completion",
    "choices": [{"index": 0, "text": "    return 2\n", "finish_reason": "stop", "logprobs": LISTS}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 4},
}
PIECES = [
    {"choices": [{"index": 0, "text": "    return", "finish_reason": None}]},
    {"choices": [{"index": 0, "text": " 2\n", "finish_reason": None}]},
    {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 8, "completion_tokens": 4}},
]


@contextmanager
def completions_server(whole=SAID, refuse=None):
    """An endpoint of a server that has `/completions` alone, and the bodies that it received."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            bodies.append(body)
            if self.path != "/v1/completions":
                return self.reply(404, {"error": {"message": "not found"}})
            if refuse is not None and (problem := refuse(body)) is not None:
                return self.reply(400, {"error": {"message": problem}})
            if not body["stream"]:
                return self.reply(200, whole)
            events = "".join(f"data: {json.dumps(piece)}\n\n" for piece in PIECES) + "data: [DONE]\n\n"
            return self.send(200, "text/event-stream", events.encode())

        def reply(self, status, value):
            self.send(status, "application/json", json.dumps(value).encode())

        def send(self, status, media, data):
            self.send_response(status)
            self.send_header("content-type", media)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/v1"
            yield OpenAI(url, "base", retries=0, api=COMPLETIONS), bodies
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.service
async def test_a_whole_completion_is_read_as_a_chat_and_sent_as_the_bare_text():
    with completions_server() as (endpoint, bodies):
        reply = await answer(endpoint, REQUEST)
        await endpoint.close()
    [choice] = reply["choices"]
    assert choice["message"]["content"] == "    return 2\n"
    assert choice["finish_reason"] == "stop"
    assert bodies == [
        {
            "model": "base",
            "prompt": PROMPT,
            "max_tokens": 9,
            "temperature": 0,
            "stop": ["\ndef"],
            "stream": False,
        }
    ]


@pytest.mark.service
async def test_a_streamed_completion_has_the_same_text_and_usage():
    with completions_server() as (endpoint, bodies):
        written = await complete(endpoint, REQUEST)
        await endpoint.close()
    assert written.text == "    return 2\n"
    assert (written.finish.reason, written.finish.usage.completion_tokens) == ("stop", 4)
    assert "messages" not in bodies[0]


@pytest.mark.service
async def test_candidates_of_the_first_token_come_in_the_shape_of_a_chat():
    with completions_server() as (endpoint, bodies):
        reply = await answer(endpoint, {**REQUEST, "logprobs": True, "top_logprobs": 20})
        await endpoint.close()
    assert bodies[0]["logprobs"] == 20
    [token] = reply["choices"][0]["logprobs"]["content"]
    assert [entry["token"] for entry in token["top_logprobs"]] == [" B", " A"]


@pytest.mark.service
async def test_a_refused_number_of_candidates_is_lowered_and_told():
    def refuse(body):
        return "logprobs must be less than or equal to 5" if body.get("logprobs", 0) > 5 else None

    with completions_server(refuse=refuse) as (endpoint, bodies):
        reply = await answer(endpoint, {**REQUEST, "logprobs": True, "top_logprobs": 20})
        await endpoint.close()
    assert [body["logprobs"] for body in bodies] == [20, 5]
    assert reply[ADAPTED] == ["logprobs at most 5"]


@pytest.mark.service
async def test_a_reply_without_a_text_is_broken():
    with completions_server(whole={"choices": [{"message": {"content": "chat"}}]}) as (endpoint, _):
        with pytest.raises(EndpointError) as caught:
            await answer(endpoint, REQUEST)
        await endpoint.close()
    assert caught.value.failure is Failure.BROKEN


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([], "messages of: none"),
        ([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}], "system, user"),
        ([{"role": "assistant", "content": "Hi"}], "messages of: assistant"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}], "no text"),
    ],
)
def test_more_than_one_text_is_refused_with_the_setting_that_cures(messages, problem):
    with pytest.raises(EndpointError, match=problem) as caught:
        raw_prompt({"messages": messages})
    assert caught.value.failure is Failure.REFUSED
    assert 'set api = "chat"' in caught.value.detail


def test_tools_are_refused():
    with pytest.raises(EndpointError, match="takes no tools"):
        sent_body(COMPLETIONS, {**REQUEST, "tools": [{}]})


def test_the_newer_limit_is_sent_under_the_name_that_the_older_address_knows():
    request = {"messages": REQUEST["messages"], "max_completion_tokens": 7}
    assert sent_body(COMPLETIONS, request) == {"prompt": PROMPT, "max_tokens": 7}


def test_text_parts_are_joined():
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    assert raw_prompt({"messages": [{"role": "user", "content": parts}]}) == "one two"


def test_log_probabilities_of_llama_cpp_stay_and_odd_ones_are_dropped():
    of_llama_cpp = {"content": [{"token": " B", "logprob": -0.5, "top_logprobs": []}]}
    assert chat_logprobs(of_llama_cpp) == of_llama_cpp
    assert chat_logprobs({"tokens": ["a"], "token_logprobs": []}) is None
    assert chat_logprobs(None) is None
    odd = {"choices": [{"text": "x", "logprobs": {"tokens": 3}}]}
    assert as_chat(COMPLETIONS, odd)["choices"][0]["logprobs"] is None


# Weights in this process and in llama.cpp's child


@pytest.mark.slow
async def test_transformers_continues_a_text_as_generate_does_without_any_template(tmp_path):
    pytest.importorskip("torch", reason="needs the extra 'local'", exc_type=ImportError)
    transformers = pytest.importorskip("transformers", reason="needs the extra 'local'", exc_type=ImportError)
    from arena.endpoints.transformers import Transformers
    from tests.arena.endpoints.test_transformers import llama, save_model

    source = save_model(tmp_path / "base", llama, template=None)
    endpoint = Transformers(source, api=COMPLETIONS)
    await endpoint.start()
    reply = await answer(endpoint, {**REQUEST, "stop": [], "max_tokens": 12})
    with pytest.raises(EndpointError, match="continues one text"):
        await answer(endpoint, {"messages": [*REQUEST["messages"], {"role": "assistant", "content": "x"}]})
    await endpoint.close()
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    network = transformers.AutoModelForCausalLM.from_pretrained(source)
    prompt = tokenizer(PROMPT, return_tensors="pt")
    options = {"max_new_tokens": 12, "do_sample": False, "eos_token_id": tokenizer.eos_token_id}
    written = network.generate(**prompt, **options)[0, prompt["input_ids"].shape[1] :]
    assert reply["choices"][0]["message"]["content"] == tokenizer.decode(written, skip_special_tokens=True)
    assert reply["usage"]["prompt_tokens"] == prompt["input_ids"].shape[1]


@pytest.mark.slow
async def test_llama_cpp_continues_a_text_of_a_real_model():
    pytest.importorskip("xllamacpp")
    from arena.serving.bundled import EMBEDDED
    from arena.serving.configured_endpoints import make_endpoint
    from arena.serving.downloads import KNOWN, is_fetched

    settings = EMBEDDED["smollm"].model_copy(
        update={"api": COMPLETIONS, "system_prompt": None, "chat_template": None}
    )
    if not is_fetched(KNOWN[settings.weights]):
        pytest.skip(f"no weights of {settings.name}; type: arena demo --fetch-only")
    endpoint = make_endpoint(settings)
    text = "One, two, three, four, five, six,"
    request = {"messages": [{"role": "user", "content": text}], "max_tokens": 4, "temperature": 0}
    reply = await answer(endpoint, {**request, "logprobs": True, "top_logprobs": 5})
    streamed = await complete(endpoint, request)
    await endpoint.close()
    assert reply["choices"][0]["message"]["content"].startswith(" seven")
    assert streamed.text.startswith(" seven")
    assert reply["choices"][0]["logprobs"]["content"][0]["token"] == " seven"
