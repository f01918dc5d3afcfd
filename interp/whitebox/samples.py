"""How sure a model is of its own answer: the entropy of each token, and whether it would say the same again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interp.extras import torch

if TYPE_CHECKING:
    from interp.whitebox.target import Target

TEMPERATURE = 0.7
LONGEST = 96  # tokens of a drawn answer: enough to tell whether it means the same
AT_ONCE = 64  # rows of the vocabulary at a time


@dataclass(frozen=True)
class TokenEntropy:
    """A token of an answer: `bits` of the distribution that it was drawn from, `surprise` -log2 p of itself."""

    text: str
    bits: float
    surprise: float


def token_entropies(target: Target, completion: str) -> list[TokenEntropy]:
    """Each token of a completion, in order, as the model found it after `target.prompt`."""
    lm = target.lm
    ids = _following(target, completion)
    found = []
    with torch.no_grad():
        hidden = lm.run(lm.embed(torch.cat([target.ids, ids]))[None]).last_hidden_state[0]
        states = hidden[len(target.ids) - 1 : -1]
        for low in range(0, len(ids), AT_ONCE):
            logs = torch.log_softmax(lm.logits(states[low : low + AT_ONCE]).float(), -1)
            bits = -(logs.exp() * logs).sum(-1) / math.log(2)
            said = -logs.gather(-1, ids[low : low + AT_ONCE, None].to(logs.device))[:, 0] / math.log(2)
            found += list(zip(bits.tolist(), said.tolist(), strict=True))
    texts = [lm.tokenizer.decode([token]) for token in ids.tolist()]
    return [TokenEntropy(text, bits, surprise) for text, (bits, surprise) in zip(texts, found, strict=True)]


def sample_completions(target: Target, completion: str, count: int, *, seed: int = 0) -> list[str]:
    """`count` answers to the prompt, each as long as the completion at most, at temperature 0.7.

    Draws from a generator of its own: torch's global state is left as it was.
    """
    lm = target.lm
    length = min(LONGEST, len(_following(target, completion)))
    prompt = target.ids.to(lm.network.device).expand(count, -1)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        made = lm.network.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=True,
            temperature=TEMPERATURE,
            top_k=0,
            max_new_tokens=length,
            pad_token_id=_padding(lm.tokenizer.pad_token_id, lm.tokenizer.eos_token_id),
        )
    rows: Sequence[Sequence[int]] = made[:, len(target.ids) :].tolist()
    return [lm.tokenizer.decode(row, skip_special_tokens=True).strip() for row in rows]


def _padding(padding: int | None, end: int | None) -> int:
    return next((token for token in (padding, end) if token is not None), 0)


def _following(target: Target, completion: str) -> torch.Tensor:
    every = target.lm.tokenizer(target.prompt.text + completion, add_special_tokens=False)["input_ids"]
    return torch.tensor(every[len(target.ids) :])
