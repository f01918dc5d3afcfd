"""The uncertainty of a model's own completion: the entropy of each token, and completions sampled again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interp.extras import torch

if TYPE_CHECKING:
    from interp.whitebox.target import Target

TEMPERATURE = 0.7
LONGEST = 96  # tokens of a sample: enough to compare its meaning
AT_ONCE = 64  # rows of the vocabulary at a time


@dataclass(frozen=True)
class TokenEntropy:
    """A token of a completion: the entropy of its distribution in `bits`, and its `surprise` -log2 p."""

    text: str
    bits: float
    surprise: float


def token_entropies(target: Target, completion: str) -> list[TokenEntropy]:
    """The entropy and the surprise of each token of a completion after `target.prompt`."""
    lm = target.lm
    ids = _following(target, completion)
    pairs = []
    with torch.no_grad():
        states = lm.ends(target.embeddings[None], torch.tensor([len(target.units)]), ids[:-1])[0]
        for low in range(0, len(ids), AT_ONCE):
            logs = torch.log_softmax(lm.logits(states[low : low + AT_ONCE]).float(), -1)
            bits = -(logs.exp() * logs).sum(-1) / math.log(2)
            surprises = -logs.gather(-1, ids[low : low + AT_ONCE, None].to(logs.device))[:, 0] / math.log(2)
            pairs += list(zip(bits.tolist(), surprises.tolist(), strict=True))
    texts = [lm.tokenizer.decode([token]) for token in ids.tolist()]
    return [TokenEntropy(text, bits, surprise) for text, (bits, surprise) in zip(texts, pairs, strict=True)]


def sample_completions(target: Target, completion: str, count: int, *, seed: int = 0) -> list[str]:
    """`count` samples of the prompt at temperature 0.7, at most as long as the completion.

    The generator is local: torch's global state does not change.
    """
    lm = target.lm
    length = min(LONGEST, len(_following(target, completion)))
    prompt = target.ids.to(lm.network.device).expand(count, -1)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        generated = lm.network.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=True,
            temperature=TEMPERATURE,
            top_k=0,
            max_new_tokens=length,
            pad_token_id=_padding(lm.tokenizer.pad_token_id, lm.tokenizer.eos_token_id),
        )
    behind = 0 if lm.network.config.is_encoder_decoder else len(target.ids)
    rows: Sequence[Sequence[int]] = generated[:, behind:].tolist()
    return [lm.tokenizer.decode(row, skip_special_tokens=True).strip() for row in rows]


def _padding(padding: int | None, end: int | None) -> int:
    return next((token for token in (padding, end) if token is not None), 0)


def _following(target: Target, completion: str) -> torch.Tensor:
    ids, _ = target.lm.completion_ids(target.prompt, target.ids, completion)
    return torch.tensor(ids)
