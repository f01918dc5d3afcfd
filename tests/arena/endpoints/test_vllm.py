"""vLLM in process: what is asked of `LLM.chat` and read from it; the real one where it is installed."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from arena.endpoints import EndpointError, Failure, complete
from arena.endpoints.vllm import Chat, Vllm


@dataclass
class Parameters:
    """Takes what vLLM's SamplingParams takes of it."""

    max_tokens: int | None = None
    temperature: float = 1.0
    seed: int | None = None
    stop: list[str] = field(default_factory=list)
    logprobs: int | None = None
    structured_outputs: object = None
    prompt_logprobs: int | None = None

    def __post_init__(self):
        if self.temperature < 0:
            raise ValueError("temperature must be non-negative")


class StandIn:
    """Answers like `LLM.chat`: a list of outputs in the order of the conversations."""

    def __init__(self):
        self.calls = []
        self.ended = 0
        self.broken = None
        self.llm_engine = SimpleNamespace(
            engine_core=SimpleNamespace(shutdown=self._shutdown), model_config=SimpleNamespace(max_model_len=12)
        )

    def _shutdown(self):
        self.ended += 1

    def chat(self, messages, parameters, *, chat_template, use_tqdm):
        if self.broken:
            raise self.broken
        self.calls.append((messages, parameters, chat_template))
        return [self._output(said, one) for said, one in zip(messages, parameters, strict=True)]

    def get_tokenizer(self):
        return Letters()

    def generate(self, prompts, parameters, *, use_tqdm):
        """Every letter has the log-probability -1, and a likelier rival where it is a vowel."""
        assert (parameters.max_tokens, parameters.prompt_logprobs) == (1, 1)
        return [SimpleNamespace(prompt_logprobs=self._places(one["prompt_token_ids"])) for one in prompts]

    def _places(self, tokens):
        rivals = {True: {0: SimpleNamespace(logprob=-0.1)}, False: {}}
        letter = SimpleNamespace(logprob=-1.0)
        return [None, *({token: letter, **rivals[chr(token) in "aeiou"]} for token in tokens[1:])]

    def _output(self, said, parameters):
        token = SimpleNamespace(decoded_token="B", logprob=-0.5)
        other = SimpleNamespace(decoded_token=" A", logprob=-1.2)
        written = SimpleNamespace(
            text=f"to {said[-1]['content']}", token_ids=[7], finish_reason="length",
            logprobs=None if parameters.logprobs is None else [{7: token, 9: other}],
        )  # fmt: skip
        return SimpleNamespace(outputs=[written], prompt_token_ids=[1, 2, 3])


@dataclass
class Served(Vllm):
    """vLLM's endpoint with the stand-in for what it would load."""

    stand_in: StandIn | None = None

    def _load(self):
        return Chat(self.stand_in, Parameters, dict, None)


class Letters:
    """A tokenizer with a token a letter."""

    bos_token_id = eos_token_id = 1

    def __call__(self, text, add_special_tokens=True):
        return {"input_ids": [ord(letter) for letter in text]}


def ask(text, **options):
    return {"messages": [{"role": "user", "content": text}], **options}


@pytest.fixture
async def served():
    stand_in = StandIn()
    endpoint = Served("weights", stand_in)
    yield endpoint, stand_in
    await endpoint.close()
    assert stand_in.ended == 1


async def test_what_waits_goes_into_one_call_each_with_its_own_sampling(served):
    endpoint, stand_in = served
    replies = await asyncio.gather(
        endpoint.answer(ask("one", max_tokens=1, temperature=0, logprobs=True, top_logprobs=5)),
        endpoint.answer(ask("two", seed=3, stop="\n")),
        endpoint.answer(ask("three", temperature=-1)),
        endpoint.answer(ask("four", tools=[{}])),
        return_exceptions=True,
    )
    ((messages, parameters, _),) = stand_in.calls
    assert [said[0]["content"] for said in messages] == ["one", "two"]
    assert parameters == [Parameters(1, 0, logprobs=5), Parameters(seed=3, stop=["\n"])]
    content = replies[0]["choices"][0]["logprobs"]["content"]
    assert content[0]["token"] == "B"
    assert [other["token"] for other in content[0]["top_logprobs"]] == ["B", " A"]
    assert replies[0]["choices"][0]["finish_reason"] == "length"
    assert replies[1]["usage"] == {"prompt_tokens": 3, "completion_tokens": 1}
    assert "logprobs" not in replies[1]["choices"][0]
    assert [reply.failure for reply in replies[2:]] == [Failure.REFUSED] * 2


async def test_a_reply_in_json_is_vllm_s_structured_output(served):
    endpoint, stand_in = served
    schema = {"type": "object"}
    await endpoint.answer(ask("one", response_format={"type": "json_object"}))
    await endpoint.answer(ask("two", response_format={"type": "json_schema", "json_schema": {"schema": schema}}))
    await endpoint.answer(ask("three", response_format={"type": "text"}))
    asked = [parameters[0].structured_outputs for _, parameters, _ in stand_in.calls]
    assert asked == [{"json_object": True}, {"json": schema}, None]
    with pytest.raises(EndpointError, match="response_format 'yaml'"):
        await endpoint.answer(ask("four", response_format={"type": "yaml"}))


async def test_an_engine_that_has_ended_is_not_tried_for_every_request(served):
    class EngineDeadError(RuntimeError): ...

    endpoint, stand_in = served
    stand_in.broken = EngineDeadError("gone")
    with pytest.raises(EndpointError, match="engine has ended") as caught:
        await endpoint.answer(ask("one"))
    assert caught.value.failure is Failure.UNUSABLE
    stand_in.broken = RuntimeError("out of memory")
    with pytest.raises(EndpointError, match="out of memory") as caught:
        await endpoint.answer(ask("two"))
    assert caught.value.failure is Failure.BROKEN


async def test_log_likelihoods_and_chats_are_computed_together(served):
    endpoint, _ = served
    replies = await asyncio.gather(
        endpoint.answer({"context": "xyz", "continuation": " bc"}),
        endpoint.answer(ask("one")),
        endpoint.answer({"context": "xyz", "continuation": " be"}),
        endpoint.answer({"text": "bcd", "token_logprobs": True}),
        endpoint.answer({"context": "x", "continuation": "y" * 11}),
        return_exceptions=True,
    )
    assert (replies[0]["logprob"], replies[0]["greedy"], replies[0]["tokens"]) == (-3.0, True, 3)
    assert replies[1]["choices"][0]["message"]["content"] == "to one"
    assert replies[2]["greedy"] is False
    assert replies[3]["token_logprobs"] == [-1.0] * 3
    assert "The continuation has 11 tokens" in str(replies[4])


async def test_a_stream_is_one_piece(served):
    endpoint, _ = served
    assert (await complete(endpoint, ask("one"))).text == "to one"


async def test_without_the_extra_it_is_named():
    if importlib.util.find_spec("vllm") is not None:
        pytest.skip("vLLM is installed")
    with pytest.raises(EndpointError, match=r"pip install 'arena\[vllm\]'"):
        await Vllm("weights").start()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # vLLM's own imports warn; that is not ours to mend
async def test_the_real_vllm_answers_with_log_probabilities():
    pytest.importorskip("vllm", reason="vLLM is not installed")
    weights = os.environ.get("ARENA_TEST_VLLM")
    if not weights:
        pytest.skip("set ARENA_TEST_VLLM to a directory with a small chat model")
    endpoint = Vllm(weights, dtype="bfloat16", options={"max_model_len": 1024, "enforce_eager": True})
    request = ask("What is the capital of France?", max_tokens=12, temperature=0, logprobs=True, top_logprobs=5)
    replies = await asyncio.gather(*(endpoint.answer(request) for _ in range(3)))
    letter = ask("Say A or B.", max_tokens=1, temperature=0, logprobs=True, top_logprobs=20)
    reply = await endpoint.answer(letter)
    written = await endpoint.answer(ask("Write JSON.", max_tokens=40, response_format={"type": "json_object"}))
    await endpoint.close()
    assert len(reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]) >= 20
    assert written["choices"][0]["message"]["content"].lstrip().startswith("{")
    texts = {reply["choices"][0]["message"]["content"] for reply in replies}
    assert len(texts) == 1
    assert "Paris" in texts.pop()
    first = replies[0]["choices"][0]["logprobs"]["content"][0]
    assert first["logprob"] == max(other["logprob"] for other in first["top_logprobs"])
