"""The transformers endpoint, on tiny random models made here: no download, oracles from `generate`."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import aclosing
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'local'", exc_type=ImportError)
transformers = pytest.importorskip("transformers", reason="needs the extra 'local'", exc_type=ImportError)

import numpy  # noqa: E402
from platformdirs import user_cache_path  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

from arena.endpoints import checkpoint, device_memory, fixed_step  # noqa: E402
from arena.endpoints.batch_model import Model  # noqa: E402
from arena.endpoints.deltas import Deltas  # noqa: E402
from arena.endpoints.device_memory import PassLimits  # noqa: E402
from arena.endpoints.endpoint import EndpointError, Failure, Finish, answer, complete  # noqa: E402
from arena.endpoints.generation_plan import read_messages, read_stop  # noqa: E402
from arena.endpoints.transformers import Transformers  # noqa: E402
from tests.support.timing import TRIES, until_async  # noqa: E402

pytestmark = pytest.mark.slow  # torch alone takes seconds to import

SENTENCES = [
    "The ship left the harbour at dawn, and nobody on the quay waved.",
    "A small model answers quickly; a large one answers well.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Schön!",
]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PROMPTS = [
    "Hi",
    "The ship left the harbour " * 4,
    "A small model",
    "dawn",
    "x" * 50,
    "Schön! " * 9,
    "?",
    "a b c",
]
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.4,  # clear winners among the logits: no ties that rounding could turn
}


def small_tokenizer(template=TEMPLATE):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", chat_template=template
    )


def save_model(directory, config, template=TEMPLATE, **generation):
    tokenizer = small_tokenizer(template)
    torch.manual_seed(7)
    network = transformers.AutoModelForCausalLM.from_config(config(vocab_size=len(tokenizer)))
    network.generation_config = transformers.GenerationConfig(**{"eos_token_id": None, **generation})
    network.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return str(directory)


def llama(vocab_size, **more):
    return transformers.LlamaConfig(vocab_size=vocab_size, **SHAPE, **more)


def mistral(vocab_size):
    return transformers.MistralConfig(vocab_size=vocab_size, sliding_window=8, **SHAPE)


def gemma3(vocab_size):
    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    return transformers.Gemma3TextConfig(
        vocab_size=vocab_size, sliding_window=8, layer_types=kinds, head_dim=8, **SHAPE
    )


def gpt2(vocab_size):
    return transformers.GPT2Config(
        vocab_size=vocab_size, n_embd=32, n_layer=2, n_head=4, n_positions=512, initializer_range=0.4
    )


def lfm2(vocab_size):
    kinds = ["conv", "full_attention", "conv"]
    return transformers.Lfm2Config(vocab_size=vocab_size, layer_types=kinds, **SHAPE)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("llama"), llama)


@pytest.fixture
async def endpoint(source):
    served = Transformers(source)
    await served.start()
    yield served
    await served.close()


def ask(text, **options):
    return {
        "messages": [{"role": "user", "content": text}],
        "temperature": 0,
        "max_tokens": 24,
        **options,
    }


def written(source, text, tokens=24):
    """The tokens that transformers' own `generate` writes, greedily."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    network = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    messages = ask(text)["messages"]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
    end = tokenizer.eos_token_id
    out = network.generate(**prompt, max_new_tokens=tokens, do_sample=False, eos_token_id=end, pad_token_id=0)
    return out[0, prompt["input_ids"].shape[1] :].tolist()


def shown(tokens):
    return small_tokenizer().decode(tokens, skip_special_tokens=True).rstrip("\ufffd")


def oracle(source, text, tokens=24):
    return shown(written(source, text, tokens))


async def failure(endpoint, request):
    with pytest.raises(EndpointError) as caught:
        await complete(endpoint, request)
    return caught.value


# One completion


async def test_a_stream_is_many_deltas_and_complete_is_their_join(endpoint, source):
    events = [event async for event in endpoint.stream(ask("Hi"))]
    assert isinstance(events[-1], Finish)
    assert len(events) > 5
    assert "".join(events[:-1]) == (await complete(endpoint, ask("Hi"))).text == oracle(source, "Hi")


async def test_max_tokens_ends_with_length_and_usage_counts_tokens(endpoint, source):
    finish = (await complete(endpoint, ask("Hi", max_tokens=5))).finish
    prompt = small_tokenizer().apply_chat_template(ask("Hi")["messages"], add_generation_prompt=True)
    assert finish.reason == "length"
    assert finish.usage.completion_tokens == 5
    assert finish.usage.prompt_tokens == len(prompt["input_ids"])


async def test_the_context_ends_a_completion_that_names_no_limit(source):
    served = Transformers(source, max_context=40)
    await served.start()
    finish = (await complete(served, ask("Hi", max_tokens=None))).finish
    await served.close()
    assert finish.reason == "length"
    assert finish.usage.prompt_tokens + finish.usage.completion_tokens == 40


async def test_an_end_token_of_the_generation_config_stops_and_is_not_shown(tmp_path, source):
    tokens = written(source, "Hi")
    end = tokens[len(tokens) // 2]
    served = Transformers(save_model(tmp_path, llama, eos_token_id=[1, end]))
    await served.start()
    done = await complete(served, ask("Hi"))
    await served.close()
    assert done.finish.reason == "stop"
    assert done.text == shown(tokens[: tokens.index(end)])


async def test_an_answer_brings_the_log_probabilities_of_its_tokens(endpoint, source):
    """Oracle: one plain forward pass over prompt and completion."""
    reply = await endpoint.answer(ask("Hi", max_tokens=6, logprobs=True, top_logprobs=3))
    (choice,) = reply["choices"]
    content = choice["logprobs"]["content"]
    assert choice["message"]["content"] == oracle(source, "Hi", 6)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    network = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(ask("Hi")["messages"], add_generation_prompt=True, return_tensors="pt")
    start = prompt["input_ids"].shape[1]
    tokens = written(source, "Hi", 6)
    whole = torch.cat([prompt["input_ids"], torch.tensor([tokens])], dim=1)
    with torch.no_grad():
        logp = network(whole).logits[0, start - 1 : -1].log_softmax(-1)
    for at, (token, entry) in enumerate(zip(tokens, content, strict=True)):
        assert entry["logprob"] == pytest.approx(float(logp[at, token]), abs=1e-4)
        best = logp[at].topk(3).values.tolist()
        assert [other["logprob"] for other in entry["top_logprobs"]] == pytest.approx(best, abs=1e-4)
        assert entry["token"] == small_tokenizer().decode([token], skip_special_tokens=True)


@pytest.mark.parametrize("top", [-1, 21, "five", True])
async def test_a_wrong_number_of_alternatives_is_refusal(endpoint, top):
    with pytest.raises(EndpointError, match="top_logprobs"):
        await endpoint.answer(ask("Hi", logprobs=True, top_logprobs=top))


async def test_a_stop_string_is_found_wherever_tokens_are_cut_and_never_shown(endpoint):
    whole = (await complete(endpoint, ask("Hi", max_tokens=40))).text
    for start in range(2, len(whole) - 6, 3):
        stop = whole[start : start + 5]
        events = [event async for event in endpoint.stream(ask("Hi", max_tokens=40, stop=stop))]
        assert "".join(events[:-1]) == whole[: whole.index(stop)]
        assert events[-1].reason == "stop"


async def test_the_stop_strings_of_the_model_end_every_completion(endpoint, source):
    whole = (await complete(endpoint, ask("Hi"))).text
    served = Transformers(source, stop=[whole[3:6]])
    await served.start()
    assert (await complete(served, ask("Hi"))).text == whole[: whole.index(whole[3:6])]
    await served.close()


async def test_an_own_template_replaces_the_model_s(source):
    served = Transformers(source, chat_template="{{ messages[-1].content }}")
    await served.start()
    finish = (await complete(served, ask("Hi"))).finish
    await served.close()
    assert finish.usage.prompt_tokens == len(small_tokenizer()("Hi")["input_ids"])


# Sampling


async def test_a_seed_gives_the_same_completion_alone_and_among_others(endpoint):
    requests = [ask(prompt, temperature=1.5, top_p=0.9, seed=seed) for seed, prompt in enumerate(PROMPTS)]
    together = await asyncio.gather(*(complete(endpoint, request) for request in requests))
    alone = [await complete(endpoint, request) for request in requests]
    assert [one.text for one in together] == [one.text for one in alone]
    other = await complete(endpoint, {**requests[0], "seed": 99})
    assert other.text != alone[0].text


async def test_one_token_to_choose_from_is_greedy(endpoint):
    greedy = await complete(endpoint, ask("Hi"))
    assert (await complete(endpoint, ask("Hi", temperature=2.0, top_k=1))).text == greedy.text
    assert (await complete(endpoint, ask("Hi", temperature=2.0, top_p=1e-6))).text == greedy.text


async def test_a_temperature_near_zero_is_greedy(endpoint):
    greedy = await complete(endpoint, ask("Hi"))
    assert (await complete(endpoint, ask("Hi", temperature=1e-40))).text == greedy.text


async def test_both_names_of_the_repetition_penalty_mean_the_same(endpoint):
    plain = await complete(endpoint, ask("Hi", max_tokens=60))
    one = await complete(endpoint, ask("Hi", max_tokens=60, repetition_penalty=5.0))
    other = await complete(endpoint, ask("Hi", max_tokens=60, repeat_penalty=5.0))
    assert one.text == other.text != plain.text


async def test_what_a_request_leaves_out_comes_from_the_generation_config(tmp_path, endpoint):
    served = Transformers(save_model(tmp_path, llama, do_sample=True, temperature=1.7, top_k=1))
    await served.start()
    text = (await complete(served, ask("Hi", temperature=None))).text
    await served.close()
    assert text == (await complete(endpoint, ask("Hi"))).text


# Several completions


@pytest.mark.parametrize("config", [llama, mistral, gemma3, gpt2, lfm2])
async def test_greedy_completions_are_the_same_alone_and_together(tmp_path, config):
    source = save_model(tmp_path, config)
    served = Transformers(source, dtype="float32")
    await served.start()
    requests = [ask(prompt, max_tokens=10 + 3 * at) for at, prompt in enumerate(PROMPTS)]
    together = await asyncio.gather(*(complete(served, request) for request in requests))
    alone = [await complete(served, request) for request in requests]
    await served.close()
    assert together == alone
    assert alone[1].text == oracle(source, PROMPTS[1], tokens=13)


class ReplayOnCpu:
    """In place of a GPU's graph: a replay makes the step on the room's own tensors."""

    replays = 0

    def __init__(self, room):
        self.room = room
        room._logits = torch.full((room.rows, len(small_tokenizer())), torch.nan)  # a capture computes nothing

    def replay(self):
        ReplayOnCpu.replays += 1
        self.room._logits.copy_(self.room._once())


@pytest.fixture
def rooms(monkeypatch):
    """Steps of fixed shape on this CPU, in rooms so narrow that they are outgrown; returns the steps made."""
    monkeypatch.setattr(fixed_step, "DEVICES", ("cpu",))
    monkeypatch.setattr(fixed_step, "WIDTH", 16)
    monkeypatch.setattr(fixed_step, "STEP", 64)
    monkeypatch.setattr(fixed_step.Room, "_recorded", lambda room: ReplayOnCpu(room))
    steps, step = [], fixed_step.Room.step

    def counted(room, slots, *given):
        steps.append((room.rows, room.width, tuple(slots)))
        return step(room, slots, *given)

    monkeypatch.setattr(fixed_step.Room, "step", counted)
    return steps


def many():
    return [
        ask(prompt, max_tokens=4 + 7 * at % 45, temperature=at % 2, seed=at, repetition_penalty=1 + at % 3 / 10)
        for at, prompt in enumerate(4 * PROMPTS)
    ]


@pytest.mark.parametrize("config", [llama, gpt2])
async def test_steps_of_fixed_shape_write_the_same_while_rows_join_and_leave(tmp_path, config, rooms, monkeypatch):
    source = save_model(tmp_path, config)
    before = ReplayOnCpu.replays
    found = await completions(source, many(), max_batch=7)
    assert ReplayOnCpu.replays - before > len(rooms) / 2
    assert len({(rows, width) for rows, width, _ in rooms}) > 2
    assert any(list(slots) != list(range(len(slots))) for _, _, slots in rooms)  # some had left
    monkeypatch.setattr(fixed_step, "DEVICES", ())
    assert found == await completions(source, many(), max_batch=7)


async def test_a_model_with_a_sliding_window_keeps_its_ordinary_steps(tmp_path, rooms):
    assert (await completions(save_model(tmp_path, mistral), [ask("Hi")]))[0].text
    assert not rooms


def wrong_logits(room):
    return torch.zeros_like(
        room._run(room._ids_and_positions[0], room._mask, room._ids_and_positions[1], room._cache)
    )


def refused(_room):
    raise RuntimeError("unsupported shape")


@pytest.mark.parametrize(("broken", "said"), [(wrong_logits, "differ"), (refused, "unsupported shape")])
async def test_a_model_that_fixed_shapes_do_not_suit_keeps_its_ordinary_steps(
    source, rooms, monkeypatch, caplog, broken, said
):
    monkeypatch.setattr(fixed_step.Room, "_once", broken)
    found = await completions(source, many())
    assert len(rooms) == 1
    assert [said in record.getMessage() for record in caplog.records] == [True]
    monkeypatch.setattr(fixed_step, "DEVICES", ())
    assert found == await completions(source, many())


async def test_a_graph_that_cannot_be_captured_is_given_up_once(source, rooms, monkeypatch, caplog):
    def capture(room):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(fixed_step.Room, "capture", capture)
    found = await completions(source, many())
    assert len(rooms) > 10
    assert len(caplog.records) == 1
    monkeypatch.setattr(fixed_step, "DEVICES", ())
    assert found == await completions(source, many())


async def test_a_prompt_longer_than_a_chunk_is_read_in_pieces(endpoint, source):
    prompt = "harbour dawn " * 60
    assert (await complete(endpoint, ask(prompt))).text == oracle(source, prompt)


async def test_a_conversation_that_comes_later_writes_between_the_tokens_of_the_first(endpoint):
    order = []
    writing = asyncio.Event()

    async def follow(name, tokens):
        async for _ in endpoint.stream(ask(PROMPTS[1], max_tokens=tokens)):
            order.append(name)
            writing.set()

    first = asyncio.create_task(follow("first", 200))
    await writing.wait()
    await follow("second", 20)
    assert not first.done()
    await first
    start = order.index("second")
    assert "first" in order[start : len(order) - order[::-1].index("second")]


async def test_more_requests_than_rows_wait_their_turn(source):
    served = Transformers(source, max_batch=2)
    await served.start()
    done = await asyncio.gather(*(complete(served, ask(prompt)) for prompt in PROMPTS))
    await served.close()
    assert all(one.text for one in done)


async def completions(source, requests, **options):
    served = Transformers(source, dtype="float32", **options)
    await served.start()
    done = await asyncio.gather(*(complete(served, request) for request in requests), return_exceptions=True)
    await served.close()
    return done


@pytest.mark.parametrize(
    "limits", [PassLimits(rows=1, tokens=1), PassLimits(rows=3, tokens=40), PassLimits(8, 8192)]
)
async def test_completions_are_the_same_at_every_size_of_passes(source, limits, monkeypatch):
    requests = [
        ask(prompt, max_tokens=4 + 5 * at, temperature=at % 2, seed=at) for at, prompt in enumerate(2 * PROMPTS)
    ]
    expected = await completions(source, requests)
    monkeypatch.setattr(device_memory, "ON_CPU", limits)
    assert await completions(source, requests) == expected


async def test_a_batch_that_runs_out_of_memory_goes_on_with_fewer_rows_and_loses_no_token(source, monkeypatch):
    requests = [
        ask(prompt, max_tokens=20 + 5 * at, temperature=1, seed=at) for at, prompt in enumerate(2 * PROMPTS)
    ]
    expected = await completions(source, requests)
    passes, run = [], Model.logits

    def limited(model, tokens, mask, cache):
        passes.append(mask.numel())
        if passes[-1] > 200:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run(model, tokens, mask, cache)

    monkeypatch.setattr(Model, "logits", limited)
    assert await completions(source, requests) == expected
    failed = sum(positions > 200 for positions in passes)
    assert 1 <= failed <= 4  # the smaller size is remembered


async def test_a_completion_that_alone_does_not_fit_fails_and_harms_no_other(source, monkeypatch):
    def limited(model, tokens, mask, cache, run=Model.logits):
        if mask.numel() > 60:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run(model, tokens, mask, cache)

    monkeypatch.setattr(Model, "logits", limited)
    short, long = await completions(source, [ask("Hi", max_tokens=4), ask("a b " * 40, max_tokens=4)])
    assert short.finish.usage.completion_tokens == 4
    assert "do not fit into memory" in long.detail


async def leave_by_closing(endpoint, passes):
    async with aclosing(endpoint.stream(ask("Hi", max_tokens=450))) as stream:
        await anext(stream)


async def leave_by_cancelling(endpoint, passes):
    before, task = len(passes), asyncio.create_task(complete(endpoint, ask("Hi", max_tokens=450)))
    await until_async(lambda: len(passes) > before)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def leave_while_waiting(endpoint, passes):
    before = len(passes)
    tasks = [asyncio.create_task(complete(endpoint, ask("Hi", max_tokens=450))) for _ in range(3)]
    await until_async(lambda: len(passes) > before)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def passes(monkeypatch):
    """The passes of a model so far; each takes ten milliseconds, so that a long completion takes seconds."""
    passes, run = [], Model.logits

    def slowed(model, *given):
        passes.append(1)
        time.sleep(0.01)
        return run(model, *given)

    monkeypatch.setattr(Model, "logits", slowed)
    return passes


@pytest.mark.parametrize("leave", [leave_by_closing, leave_by_cancelling, leave_while_waiting])
async def test_leaving_a_stream_frees_its_row(source, leave, passes):
    """The next completion waits for a few passes of the model, not for the 450 that were left."""
    served = Transformers(source, max_batch=1)
    await served.start()
    await leave(served, passes)
    before = len(passes)
    await complete(served, ask("Hi", max_tokens=3))
    assert before < 400, "the machine was so slow that the completion ended before it was left"
    assert len(passes) - before < 40
    await served.close()


async def test_the_event_loop_stays_responsive_while_a_model_loads_and_writes(tmp_path):
    def wide(vocab_size):
        return transformers.LlamaConfig(
            vocab_size=vocab_size, **{**SHAPE, "hidden_size": 512, "num_hidden_layers": 8}
        )

    model, tries = save_model(tmp_path, wide), []
    while len(tries) < TRIES and not (tries and is_responsive(tries[-1])):
        tries.append(await lags_while_serving(model))
    assert is_responsive(tries[-1]), [max(lags) for lags in tries]


def is_responsive(lags):
    return len(lags) > 20 and max(lags) < 1 and sorted(lags)[len(lags) // 2] < 0.05


async def lags_while_serving(model):
    """How late the event loop was, in seconds, again and again while a model loaded and wrote."""
    served, lags, over = Transformers(model), [], False

    async def watch():
        while not over:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - before - 0.005)

    watching = asyncio.create_task(watch())
    await served.start()
    await asyncio.gather(*(complete(served, ask(prompt)) for prompt in PROMPTS))
    over = True
    await watching
    await served.close()
    return lags


# What can go wrong


async def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(source):
    served = Transformers(source, max_context=30)
    await served.start()
    error = await failure(served, ask("harbour " * 40))
    await served.close()
    assert error.failure == Failure.REFUSED
    assert "30" in error.detail


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"tools": [{}]}, "tools"),
        ({"top_logprobs": 5}, "Add logprobs: true"),
        ({"logprobs": True}, "not supported in a stream"),
        ({"n": 2}, "n 2"),
        ({"temperature": -1}, "temperature -1"),
        ({"temperature": "hot"}, "temperature 'hot'"),
        ({"top_p": 0}, "top_p 0"),
        ({"top_k": -1}, "top_k -1"),
        ({"repetition_penalty": 0}, "repetition_penalty 0"),
        ({"max_tokens": 0}, "max_tokens 0"),
        ({"stop": [""]}, "stop"),
        ({"messages": []}, "no messages"),
        ({"messages": [{"content": "no role"}]}, "not a chat completion"),
        ({"messages": ["no mapping"]}, "not a chat completion"),
        ({"messages": [{"role": "user", "content": 5}]}, "not a chat completion"),
        ({"stop": 5}, "not a chat completion"),
        ({"seed": 2**64}, "seed"),
        ({"temperature": float("nan")}, "temperature nan"),
        ({"max_tokens": float("inf")}, "max_tokens inf"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "image_url"),
    ],
)
async def test_a_request_that_cannot_be_served_is_refused_by_name_and_harms_no_other(endpoint, more, named):
    error = await failure(endpoint, ask("Hi", **more))
    assert error.failure == Failure.REFUSED
    assert named in error.detail
    assert (await complete(endpoint, ask("Hi"))).text


async def test_logits_that_are_no_numbers_break_their_own_row_alone(endpoint):
    other = asyncio.create_task(complete(endpoint, ask("a b c", max_tokens=60)))
    hostile = ask("Hi", temperature=1, repetition_penalty=1e-300, max_tokens=60)
    error = await failure(endpoint, hostile)
    assert error.failure == Failure.BROKEN
    assert "not numbers" in error.detail
    assert (await other).finish.usage.completion_tokens == 60


def recurrent_model(vocab_size):
    return transformers.MambaConfig(vocab_size=vocab_size, hidden_size=32, num_hidden_layers=1)


def model_without_cache(vocab_size):
    return transformers.OpenAIGPTConfig(vocab_size=vocab_size, n_embd=32, n_layer=1, n_head=2)


@pytest.mark.parametrize("config", [recurrent_model, model_without_cache])
async def test_a_model_without_keys_and_values_is_refusal(tmp_path, config):
    source = save_model(tmp_path, config)
    with pytest.raises(EndpointError, match="has no key-value cache"):
        await Transformers(source, max_context=100).start()


async def test_a_template_that_protests_refuses_the_request(source):
    served = Transformers(source, chat_template="{{ raise_exception('no system role here') }}")
    await served.start()
    error = await failure(served, ask("Hi"))
    await served.close()
    assert error.failure == Failure.REFUSED
    assert "no system role here" in error.detail


async def test_a_base_model_asks_for_a_template(tmp_path):
    base = save_model(tmp_path, llama, template=None)
    with pytest.raises(EndpointError, match="Configure chat_template"):
        await Transformers(base).start()


async def test_a_model_that_keeps_its_context_to_itself_asks_for_max_context(tmp_path):
    def boundless(vocab_size):
        return transformers.BloomConfig(vocab_size=vocab_size, hidden_size=32, n_layer=1, n_head=2)

    source = save_model(tmp_path, boundless)
    with pytest.raises(EndpointError, match="Configure max_context"):
        await Transformers(source).start()


async def test_a_hub_id_without_a_hub_says_what_to_do(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for served in (
        Transformers("somebody/some-model", revision="1234567"),
        Transformers("somebody/some-model", revision="1234567", file="some.gguf"),
    ):
        with pytest.raises(EndpointError, match="use its path as the source") as caught:
            await served.start()
        assert caught.value.failure == Failure.UNUSABLE


@pytest.mark.parametrize("missing", ["./nowhere", "nowhere.gguf", "/nowhere/at/all"])
async def test_a_missing_path_is_not_taken_for_a_hub_id(missing):
    with pytest.raises(EndpointError, match="no such file or directory"):
        await Transformers(missing).start()


async def test_an_unknown_dtype_is_named(source):
    with pytest.raises(EndpointError, match="dtype 'float33'"):
        await Transformers(source, dtype="float33").start()


def damaged_weights(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def damaged_config(**fields):
    def damage(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **fields}))

    return damage


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (damaged_weights, "deserializing header"),
        (damaged_config(hidden_size=64), "RuntimeError"),
        (damaged_config(num_attention_heads=0), "ZeroDivisionError"),
        (damaged_config(hidden_act="none such"), "KeyError"),
        (lambda folder: (folder / "config.json").write_text("[]"), "Unrecognized model"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "added_tokens"),
    ],
)
async def test_a_damaged_model_is_unusable_with_the_reason(tmp_path, damage, reason):
    source = save_model(tmp_path, llama)
    damage(tmp_path)
    with pytest.raises(EndpointError, match=reason) as caught:
        await Transformers(source).start()
    assert caught.value.failure is Failure.UNUSABLE


async def test_a_model_that_crashes_on_every_request_is_unusable_and_loaded_once(tmp_path, monkeypatch):
    loads = []
    load = checkpoint.load
    monkeypatch.setattr(checkpoint, "load", lambda *options: loads.append(options) or load(*options))
    source = save_model(tmp_path, lambda vocab_size: llama(vocab_size - 1))
    last = small_tokenizer().decode([len(small_tokenizer()) - 1])
    served = Transformers(source, chat_template="{{ messages[-1].content }}")
    failures = []
    for prompt in (last, "Hi", last, last, last, "Hi"):
        try:
            await answer(served, ask(prompt, max_tokens=4))
        except EndpointError as error:
            failures.append(error.failure)
    assert failures == [Failure.BROKEN] * 4 + [Failure.UNUSABLE]
    assert len(loads) == 1
    await served.close()


async def test_a_missing_extra_is_named(monkeypatch, source):
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.delitem(sys.modules, "arena.endpoints.checkpoint", raising=False)
    monkeypatch.delitem(sys.modules, "arena.endpoints.batcher", raising=False)
    with pytest.raises(EndpointError, match=r"pip install 'arena\[local\]'") as caught:
        await Transformers(source).start()
    assert caught.value.failure == Failure.UNUSABLE


def test_torch_is_not_imported_before_the_start():
    code = "import sys; from arena.endpoints.transformers import Transformers; Transformers('x')"
    code += "; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_a_stream_before_the_start_is_not_ready(source):
    assert (await failure(Transformers(source), ask("Hi"))).failure == Failure.NOT_READY


async def test_a_crash_fails_all_pending_requests_and_a_new_start_recovers(tmp_path):
    # The tokenizer has one token more than the model, and reading it breaks the thread.
    source = save_model(tmp_path, lambda vocab_size: llama(vocab_size - 1))
    last = small_tokenizer().decode([len(small_tokenizer()) - 1])
    served = Transformers(source, chat_template="{{ messages[-1].content }}", max_batch=3)
    await served.start()
    prompts = ["Hi", "a b c", last, "waits"]
    errors = await asyncio.gather(
        *(complete(served, ask(prompt, max_tokens=400)) for prompt in prompts), return_exceptions=True
    )
    assert [error.failure for error in errors] == [Failure.BROKEN] * 4
    assert (await failure(served, ask("Hi"))).failure == Failure.BROKEN
    await served.start()
    assert (await complete(served, ask("Hi"))).text
    await served.close()


def networks():
    gc.collect()
    return {id(network) for network in gc.get_objects() if type(network) is transformers.LlamaForCausalLM}


async def test_closing_fails_what_still_runs_ends_the_thread_and_frees_the_model(source, passes):
    before = networks()  # of other tests of this process
    served = Transformers(source)
    await served.start()
    await served.start()
    begun = len(passes)
    running = asyncio.create_task(complete(served, ask("Hi", max_tokens=400)))
    await until_async(lambda: len(passes) > begun)
    await served.close()
    await served.close()
    with pytest.raises(EndpointError, match="closed"):
        await running
    assert not [thread for thread in threading.enumerate() if thread.name == "arena-transformers"]
    del running
    assert networks() <= before


# GGUF


def save_gguf(path):
    """The tiny Llama as a GGUF file, with its tokenizer and template inside."""
    gguf = pytest.importorskip("gguf", exc_type=ImportError)
    tokenizer = small_tokenizer()
    size = len(tokenizer)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokenizer.convert_ids_to_tokens(range(size)))
    writer.add_token_types([gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.NORMAL] * (size - 2))
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(1)
    writer.add_chat_template(TEMPLATE)
    numbers = numpy.random.default_rng(0)
    shapes = {"token_embd": (size, 32), "output_norm": (32,), "output": (size, 32)}
    shapes |= {f"blk.0.{name}": (32, 32) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    shapes |= {"blk.0.ffn_gate": (64, 32), "blk.0.ffn_up": (64, 32), "blk.0.ffn_down": (32, 64)}
    shapes |= {"blk.0.attn_norm": (32,), "blk.0.ffn_norm": (32,)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", numbers.normal(size=shape).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


async def test_a_gguf_is_converted_once_by_content(tmp_path):
    cache, written_at = tmp_path / "cache", []
    for directory in (tmp_path / "one", tmp_path / "another"):
        directory.mkdir()
        save_gguf(directory / "tiny.gguf")
        served = Transformers(str(directory), file="tiny.gguf", cache_dir=cache)
        await served.start()
        assert (await complete(served, ask("Hi", max_tokens=5))).finish.usage.completion_tokens == 5
        assert "context is 64" in (await failure(served, ask("x" * 200))).detail  # the context of the file
        await served.close()
        written_at.append([file.stat().st_mtime_ns for file in sorted(cache.glob("*/*"))])
    assert written_at[0] == written_at[1] != []
    assert len(list(cache.iterdir())) == 1


async def test_a_broken_gguf_is_named_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF nonsense" * 100)
    with pytest.raises(EndpointError, match=r"broken\.gguf") as caught:
        await Transformers(str(tmp_path / "broken.gguf"), cache_dir=tmp_path / "cache").start()
    assert caught.value.failure == Failure.UNUSABLE
    assert list((tmp_path / "cache").iterdir()) == []


# Text from tokens


def letters(tokens):
    return bytes(tokens).decode("utf-8", errors="replace")


def test_half_a_character_is_never_shown():
    deltas = Deltas(letters)
    shown = [deltas.push(byte) for byte in "Schön 🚢!".encode()]
    assert "\ufffd" not in "".join(shown)
    assert "".join(shown) + deltas.rest() == "Schön 🚢!"


def test_half_a_character_at_the_end_is_dropped_and_the_whole_ones_before_it_are_kept():
    deltas = Deltas(letters)
    shown = "".join(deltas.push(byte) for byte in "aé".encode()[:-1])
    assert shown + deltas.rest() == "a"


def test_what_could_become_a_stop_string_is_held_back_and_let_out_when_it_does_not():
    deltas = Deltas(letters, ["</answer>"])
    shown = [deltas.push(byte) for byte in b"a</ans"]
    assert "".join(shown) == "a"
    assert deltas.push(ord("!")) == "</ans!"


def test_the_first_of_several_stop_strings_cuts():
    deltas = Deltas(lambda tokens: "".join(["one two three"[token] for token in tokens]), ["three", "two"])
    assert "".join(deltas.push(at) for at in range(13)) + deltas.rest() == "one "
    assert deltas.stopped


def test_the_parts_of_a_message_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert read_messages({"messages": [{"role": "user", "content": parts}]}) == [{"role": "user", "content": "ab"}]
    assert read_stop({"stop": "x"}) == read_stop({"stop": ["x"]}) == ("x",)


# A real model


def real_gguf():
    named = os.environ.get("ARENA_TEST_GGUF")
    found = [Path(named)] if named else sorted(user_cache_path("arena").rglob("SmolLM2-135M-Instruct*.gguf"))
    if not found:
        pytest.skip("set ARENA_TEST_GGUF to the path of SmolLM2-135M-Instruct as GGUF")
    return found[0]


@pytest.mark.slow
async def test_a_real_gguf_knows_the_capital_of_france_and_is_converted_once(tmp_path):
    gguf = real_gguf()
    for limit in (300, 60):  # seconds; the second start finds the conversion
        served = Transformers(str(gguf), cache_dir=tmp_path)
        await asyncio.wait_for(served.start(), limit)
        done = await complete(served, ask("What is the capital of France?", repeat_penalty=1.1))
        await served.close()
        assert "Paris" in done.text
        assert "<|" not in done.text
    assert len(list(tmp_path.iterdir())) == 1
