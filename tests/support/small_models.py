"""Random networks of two layers and a tokenizer of whole words: everything but the knowledge of a real model."""

from functools import cache

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import tokenizers  # noqa: E402

from interp import CausalLM, Prompt  # noqa: E402

TEXT = (
    "which answer is better ? first : second the sun a star and moon not big bright cold near far it rises "
    "in east sets west . why does Reply A B yes no one two three"
)
WORDS = TEXT.split()
SIZES = {
    "vocab_size": 128,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}


def tokenizer():
    spelled = ["<unk>", "<end>", *WORDS, *(f" {word}" for word in WORDS), "\n", "aye", "nay"]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(spelled))}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    pattern = tokenizers.Regex(r"\n| ?[A-Za-z]+| ?[?.:]| ")
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split(pattern, "isolated")
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", eos_token="<end>")


@cache
def model(kind="llama", **sizes):
    """A random `CausalLM`; its weights are large enough that scores are far from zero."""
    torch.manual_seed(5)
    kinds = {
        "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM, {}),
        "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM, {"head_dim": 8}),
        "gemma3": (
            transformers.Gemma3TextConfig,
            transformers.Gemma3ForCausalLM,
            {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 4, "sliding_window_pattern": 2},
        ),
        "gpt2": (
            transformers.GPT2Config,
            transformers.GPT2LMHeadModel,
            {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
        ),
    }
    config, network, more = kinds[kind]
    with torch.random.fork_rng():
        torch.manual_seed(5)
        made = network(config(**{**SIZES, **more, **sizes, "initializer_range": 0.2, "pad_token_id": 0}))
    return CausalLM(made, tokenizer(), name=f"random {kind}")


def judged(first="the sun is a bright star .", second="the moon is cold and not a star ."):
    """A judge's prompt with a question and two completions."""
    return Prompt.of(
        (None, "which answer is better ?\n"),
        ("prompt", "why is it bright ?"),
        (None, "\nfirst :"),
        ("completion_a", f" {first}"),
        (None, "\nsecond :"),
        ("completion_b", f" {second}"),
        (None, "\nReply"),
    )
