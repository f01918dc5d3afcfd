"""Networks with random weights in the shapes of known models, a tokenizer of whole words, and prompts for both.

Speed does not depend on what the weights know, so nothing is downloaded: the weights are drawn on the device.
"""

from __future__ import annotations

import random

import tokenizers
import torch
import transformers

from interp import CausalLM, Prompt

SHAPES = {
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "vocab_size": 1024, "tie_word_embeddings": True},
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
           "num_key_value_heads": 8, "vocab_size": 128_256, "tie_word_embeddings": True},
    "8b": {"hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 8, "vocab_size": 128_256, "tie_word_embeddings": False},
}  # fmt: skip
TEXT = (
    "the sun is a star and moon not big but cold near far it in east sets west why does sky rise from old sea "
    "brighter farthest morning evening windowpane mountain sometimes"
)
PIECE = 6  # letters of a token
SHORT = [word for word in TEXT.split() if len(word) <= PIECE]
LONG = [word for word in TEXT.split() if len(word) > PIECE]  # two tokens each
LABELS = ("A", "B")
CONTEXT = 4096


def tokenizer(vocabulary: int):
    """One token for each piece of up to six letters; the rest of the vocabulary is ` t0`, ` t1`, ..."""
    pieces = {piece for word in [*SHORT, *LONG] for piece in split(f" {word}")}
    spelled = ["<unk>", *LABELS, *(f" {label}" for label in LABELS), "\n", ".", ":", " ", *sorted(pieces)]
    spelled += [f" t{number}" for number in range(vocabulary - len(spelled))]
    made = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({token: at for at, token in enumerate(spelled)}, unk_token="<unk>")
    )
    pattern = tokenizers.Regex(rf" ?t[0-9]+| ?[A-Za-z]{{1,{PIECE}}}|[.:\n]| ")
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split(pattern, "isolated")
    made.decoder = tokenizers.decoders.Fuse()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>")
    fast.chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    return fast


def split(spelled: str) -> list[str]:
    """The pieces of a word with a space before it."""
    return [spelled[: PIECE + 1], *(spelled[at : at + PIECE] for at in range(PIECE + 1, len(spelled), PIECE))]


def network(shape: str, device: str, dtype: torch.dtype):
    """A Llama with random weights; no token ends a text, so that every side writes the same number of tokens."""
    config = transformers.LlamaConfig(
        **SHAPES[shape],
        max_position_embeddings=CONTEXT,
        rope_theta=500_000.0,
        rms_norm_eps=1e-5,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]), torch.device(device):
        torch.manual_seed(5)
        made = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation="sdpa")
    return made.eval().requires_grad_(False)


def causal_lm(shape: str, device: str, dtype: torch.dtype) -> CausalLM:
    return CausalLM(network(shape, device, dtype), tokenizer(SHAPES[shape]["vocab_size"]), name=f"random {shape}")


def text(words: int, seed: int, long: int = 0) -> str:
    """Words with a space before each; `long` of them are two tokens."""
    drawn = random.Random(seed)
    chosen = [*drawn.choices(LONG, k=long), *drawn.choices(SHORT, k=words - long)]
    drawn.shuffle(chosen)
    return "".join(f" {word}" for word in chosen)


def judge_prompt(words: int, tokens: int) -> Prompt:
    """A prompt of `tokens` tokens: a request and two completions of `words` words in all, and their template."""
    side = words * 10 // 21
    asked = words - 2 * side
    long = words // 5  # 6 tokens for 5 words, as in English prose
    contents = [
        text(asked, 1, long - 2 * (long * 10 // 21)),
        text(side, 2, long * 10 // 21),
        text(side, 3, long * 10 // 21),
    ]
    fixed = words + long + 6  # " :" and "\n" before and after
    rest = tokens - fixed - 12
    return Prompt.of(
        (None, text(rest, 4) + ":"),
        ("prompt", contents[0]),
        (None, "\n A:"),
        ("completion_a", contents[1]),
        (None, "\n B:"),
        ("completion_b", contents[2]),
        (None, "\n" + text(9, 5) + ":"),
    )  # fmt: skip
