"""The reward endpoint, on a tiny random classifier made here."""

from __future__ import annotations

import asyncio

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'local'", exc_type=ImportError)
transformers = pytest.importorskip("transformers", reason="needs the extra 'local'", exc_type=ImportError)

from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: E402

from arena.endpoints import EndpointError, Failure, complete  # noqa: E402
from arena.endpoints.reward import Reward  # noqa: E402

pytestmark = pytest.mark.slow  # torch alone takes seconds to import

TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"


def saved(folder, labels=1, template=TEMPLATE):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: n for n, letter in enumerate([*alphabet, "<end>"])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<end>", chat_template=template
    )
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        vocab_size=len(fast), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, num_labels=labels, pad_token_id=fast.eos_token_id,
    )  # fmt: skip
    transformers.LlamaForSequenceClassification(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return str(folder)


def conversation(text):
    return {"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": text}]}


@pytest.fixture
async def endpoint(tmp_path):
    served = Reward(saved(tmp_path))
    await served.start()
    yield served
    await served.close()


async def test_a_reward_is_the_classifier_s_number_alone_and_in_a_batch(endpoint, tmp_path):
    texts = ["Yes.", "No, and here is why: " + "because " * 9, "?", "Perhaps"]
    together = await asyncio.gather(*(endpoint.answer(conversation(text)) for text in texts))
    network = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text, reply in zip(texts, together, strict=True):
        ids = tokenizer(f"user: Hi?\nassistant: {text}\n", return_tensors="pt", add_special_tokens=False)
        with torch.no_grad():
            expected = float(network(ids["input_ids"]).logits[0, 0])
        assert reply["score"] == pytest.approx(expected, abs=1e-5)
        assert reply["usage"]["prompt_tokens"] == ids["input_ids"].shape[1]


async def test_what_it_cannot_do_is_refused_and_harms_no_other(endpoint):
    long, good = await asyncio.gather(
        endpoint.answer(conversation("x" * 300)), endpoint.answer(conversation("x")), return_exceptions=True
    )
    assert (long.failure, "the context is 256" in long.detail) == (Failure.REFUSED, True)
    assert "score" in good
    with pytest.raises(EndpointError, match="--protocol reward"):
        await complete(endpoint, conversation("x"))
    with pytest.raises(EndpointError, match="no messages"):
        await endpoint.answer({"messages": []})


async def test_a_classifier_of_many_labels_is_no_reward_model(tmp_path):
    with pytest.raises(EndpointError, match="3 labels, and a reward model has one"):
        await Reward(saved(tmp_path, labels=3)).start()


async def test_without_a_template_and_without_a_file_it_says_what_to_do(tmp_path):
    bare = Reward(saved(tmp_path, template=None))
    with pytest.raises(EndpointError, match="Configure chat_template"):
        await bare.answer(conversation("x"))
    await bare.close()
    with pytest.raises(EndpointError, match="no such file"):
        await Reward("./nowhere").start()
