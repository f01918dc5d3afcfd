"""The importance of attention heads: by one backward pass, or by exact ablation of each.

    gradient   I_lh = sum over tokens of ctx_lh . df/dctx_lh
    ablation   I_lh = f(x) - f(x with ctx_lh = 0)

ctx is the head's part of what the output projection reads.

Michel et al. (NeurIPS 2019, arXiv 1905.10650) take absolute values token by token; the signed sum follows exact
ablation more closely and keeps the side that a head supports. Scores are of query heads; several of them share
one key-value head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interp.errors import UnsupportedModel
from interp.extras import torch
from interp.masks import Floats

if TYPE_CHECKING:
    from interp.whitebox.target import Target
    from interp.whitebox.transformer import Transformer

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class HeadImportance:
    """Signed scores (layers, query heads). `queries_per_key_value_head` query heads read each key-value head."""

    method: str
    scores: Floats
    queries_per_key_value_head: int
    target: str
    value: float

    def by_key_value_head(self) -> Floats:
        """(layers, key-value heads): sums over the query heads that share one."""
        return np.asarray(self.scores.reshape(len(self.scores), -1, self.queries_per_key_value_head).sum(-1))


def gradient_importance(target: Target) -> HeadImportance:
    """First-order effect of each head, by one backward pass. Raises UnsupportedModel."""
    lm = target.lm
    scores = np.zeros((len(lm.layers), _heads(lm)))

    def collect(number: int, context: torch.Tensor) -> None:
        def add(gradient: torch.Tensor) -> None:
            effect = (gradient * context.detach()).unflatten(-1, (scores.shape[1], -1))
            scores[number] += effect.sum((0, 1, 3)).double().cpu().numpy()

        context.register_hook(add)

    embeddings = target.embeddings[None].clone().requires_grad_(True)
    with torch.enable_grad(), _contexts(lm, collect):
        torch.autograd.grad(target.of(embeddings).sum(), embeddings)
    return HeadImportance("gradient", scores, _queries_per_key_value_head(lm), target.name, target.value)


def ablation_importance(target: Target, progress: Progress | None = None) -> HeadImportance:
    """Exact effect of setting each head's output to zero: layers x heads forward passes, batched.

    `progress` is called with (layers done, layers). Raises UnsupportedModel.
    """
    lm = target.lm
    layers, heads = len(lm.layers), _heads(lm)
    scores = np.zeros((layers, heads))
    rows = max(1, lm.batch_tokens // len(target.sequence))
    for layer in range(layers):
        for low in range(0, heads, rows):
            these = range(low, min(low + rows, heads))
            with torch.no_grad(), _contexts(lm, _zeroing(layer, these, heads)):
                values = target.of(target.embeddings.expand(len(these), -1, -1))
            scores[layer, these] = target.value - values.double().cpu().numpy()
        if progress:
            progress(layer + 1, layers)
    return HeadImportance("ablation", scores, _queries_per_key_value_head(lm), target.name, target.value)


def _zeroing(layer: int, these: range, heads: int) -> Callable[[int, torch.Tensor], torch.Tensor | None]:
    """Row i of a run loses head these[i] of one layer."""

    def zero(number: int, context: torch.Tensor) -> torch.Tensor | None:
        if number != layer:
            return None
        by_head = context.unflatten(-1, (heads, -1)).clone()
        by_head[torch.arange(len(these)), :, list(these)] = 0
        return by_head.flatten(-2)

    return zero


@contextmanager
def _contexts(lm: Transformer, on_context: Callable[[int, torch.Tensor], torch.Tensor | None]) -> Iterator[None]:
    """Call `on_context` with each layer's context (rows, tokens, heads * width); what it returns replaces the context."""

    def hook(number: int) -> Callable[[Any, tuple[Any, ...]], Any]:
        return lambda _module, inputs: on_context(number, inputs[0])

    with ExitStack() as stack:
        for number, layer in enumerate(lm.layers):
            output_projection = getattr(getattr(layer, "self_attn", None), "o_proj", None)
            if output_projection is None:
                raise UnsupportedModel(
                    f"layer {number} has no self_attn.o_proj, so its heads cannot be separated. Use another method."
                )
            stack.callback(output_projection.register_forward_pre_hook(hook(number)).remove)
        yield


def _heads(lm: Transformer) -> int:
    return int(lm.config.num_attention_heads)


def _queries_per_key_value_head(lm: Transformer) -> int:
    return _heads(lm) // int(getattr(lm.config, "num_key_value_heads", None) or _heads(lm))
