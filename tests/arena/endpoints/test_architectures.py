"""Architectures behind the `transformers` endpoint: right completions and log-likelihoods, or a refusal at the start."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

pytest.importorskip("torch")

from arena.endpoints import EndpointError
from arena.endpoints.reward import Reward
from arena.endpoints.transformers import Transformers
from reproduce.tiny_networks import CLASSIFIERS, DECODERS, ENCODER_DECODERS, Architecture
from tests.support.small_models import tokenizer, torch

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # torch alone takes seconds to import

TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %} Reply"
ASKED = ("why is the sun bright ?", "sun", "the moon is not a star and cold")
HEADER = "why is the sun bright ? the moon is cold and not a star but the sun is"
WRITES = (
    "llama", "mixtral", "gemma3_text", "gpt2", "gpt_neo", "gpt_neox", "opt", "bloom", "mpt", "falcon", "phi3", "cohere",
    "granite", "llama4_text", "qwen3_next", "jamba", "bamba", "falcon_h1",
)  # fmt: skip
REFUSED = {
    "mamba": "has no key-value cache",
    "rwkv": "has no key-value cache",
    "openai-gpt": "has no key-value cache",
    "minimax": "does not work with the cache of transformers",
    "t5": "is an encoder-decoder, which this endpoint does not serve",
    "bart": "is an encoder-decoder, which this endpoint does not serve",
    "bert": "reads text in both directions and writes none",
    "deberta-v2": "is a classifier, which writes no text. Use endpoint 'reward'",
}


def architecture(model_type):
    if model_type == "bert":
        return Architecture("bert", "BERT")
    return next(each for each in (*DECODERS, *ENCODER_DECODERS, *CLASSIFIERS) if each.model_type == model_type)


def served(folder, model_type):
    """The endpoint, its network and its tokenizer."""
    network, words = architecture(model_type).build(), tokenizer()
    network.save_pretrained(folder)
    words.save_pretrained(folder)
    return Transformers(str(folder), dtype="float32", chat_template=TEMPLATE, max_context=64), network, words


def greedy(network, words, text):
    """Ids that follow the most likely tokens, without a cache."""
    ids = words(f"{text} Reply", return_tensors="pt", add_special_tokens=False)["input_ids"]
    start = ids.shape[1]
    for _ in range(6):
        with torch.no_grad():
            following = network(input_ids=ids, use_cache=False).logits[0, -1].argmax()
        if int(following) == words.eos_token_id:
            break
        ids = torch.cat([ids, following[None, None]], 1)
    return words.decode(ids[0, start:], skip_special_tokens=True)


def log_likelihood(network, words, context, continuation):
    ids = words(context + continuation, return_tensors="pt", add_special_tokens=False)["input_ids"]
    start = len(words(context, add_special_tokens=False)["input_ids"])
    with torch.no_grad():
        every = torch.log_softmax(network(input_ids=ids, use_cache=False).logits[0], -1)
    return sum(float(every[at - 1, ids[0, at]]) for at in range(start, ids.shape[1]))


@pytest.mark.parametrize("model_type", WRITES)
async def test_completions_and_log_likelihoods_are_the_networks_own(tmp_path, model_type):
    endpoint, network, words = served(tmp_path, model_type)
    await endpoint.start()
    try:
        bodies = [
            {"messages": [{"role": "user", "content": text}], "max_tokens": 6, "temperature": 0} for text in ASKED
        ]
        replies = await asyncio.gather(*(endpoint.answer(body) for body in bodies))
        completions = [reply["choices"][0]["message"]["content"] for reply in replies]
        assert [text.strip() for text in completions] == [greedy(network, words, text).strip() for text in ASKED]
        pairs = [(HEADER, " bright star"), (HEADER, " moon"), (f"{HEADER} far", " and near")]
        scored = await asyncio.gather(
            *(endpoint.answer({"context": context, "continuation": text}) for context, text in pairs)
        )
        for reply, pair in zip(scored, pairs, strict=True):
            assert reply["logprob"] == pytest.approx(log_likelihood(network, words, *pair), abs=1e-4)
    finally:
        await endpoint.close()


@pytest.mark.parametrize("model_type", REFUSED)
async def test_a_network_that_cannot_be_served_is_refused_at_the_start(tmp_path, model_type):
    endpoint, _, _ = served(tmp_path, model_type)
    with pytest.raises(EndpointError, match=REFUSED[model_type]):
        await endpoint.start()


@pytest.mark.parametrize(("model_type", "most"), [("bert", 64), ("roberta", 63), ("mpnet", 62), ("llama", 64)])
async def test_a_reward_model_scores_what_it_can_read_and_refuses_the_rest(tmp_path, model_type, most):
    (found,) = (each for each in CLASSIFIERS if each.model_type == model_type)
    network, words = replace(found, sizes={**found.sizes, "num_labels": 1}).build(), tokenizer()
    network.save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    endpoint = Reward(str(tmp_path), dtype="float32", chat_template="{{ messages[0]['content'] }}")
    await endpoint.start()
    try:
        reply = await endpoint.answer({"messages": [{"role": "user", "content": " sun" * most}]})
        ids = words(" sun" * most, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            expected = network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, 0]
        assert reply["score"] == pytest.approx(float(expected), abs=1e-4)
        for text, reason in ((" sun" * (most + 1), f"the context is {most}"), ("", "has no tokens")):
            with pytest.raises(EndpointError, match=reason):
                await endpoint.answer({"messages": [{"role": "user", "content": text}]})
    finally:
        await endpoint.close()
