"""The importance of attention heads: by one backward pass, or by exact ablation of each.

    gradient   I_lh = sum over tokens of ctx_lh . df/dctx_lh
    ablation   I_lh = f(x) - f(x with ctx_lh = 0)

ctx is the head's part of what the output projection reads.

Michel et al. (NeurIPS 2019, arXiv 1905.10650) take absolute values token by token; the signed sum follows exact
ablation more closely and keeps the side that a head supports. Scores are of query heads; several of them share
one key-value head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interp.extras import torch
from interp.masks import Floats
from interp.whitebox.architecture import attentions_of, output_projection

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

    lm.check_gradient()  # its runs are not to be collected
    with _contexts(lm, collect):
        target.slopes(target.embeddings[None].clone())
    return HeadImportance("gradient", scores, _queries_per_key_value_head(lm), target.name, target.value)


def ablation_importance(target: Target, progress: Progress | None = None) -> HeadImportance:
    """Exact effect of setting each head's output to zero: layers x heads forward passes, batched.

    `progress` is called with (layers done, layers). Raises UnsupportedModel.
    """
    lm = target.lm
    layers, heads = len(lm.layers), _heads(lm)
    scores = np.zeros((layers, heads))
    for layer in range(layers):

        def run(these: Sequence[int], layer: int = layer) -> None:
            with torch.no_grad(), _contexts(lm, _zeroing(layer, these, heads)):
                values = target.of(target.embeddings.expand(len(these), -1, -1))
            scores[layer, these] = target.value - values.double().cpu().numpy()

        lm.forward_size.run(range(heads), lambda _: len(target.sequence), run)
        if progress:
            progress(layer + 1, layers)
    return HeadImportance("ablation", scores, _queries_per_key_value_head(lm), target.name, target.value)


def _zeroing(layer: int, these: Sequence[int], heads: int) -> Callable[[int, torch.Tensor], torch.Tensor | None]:
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
        for number, attention in enumerate(attentions_of(lm)):
            projection = output_projection(attention)
            stack.callback(projection.register_forward_pre_hook(hook(number)).remove)
        yield


def _heads(lm: Transformer) -> int:
    return int(lm.config.num_attention_heads)


def _queries_per_key_value_head(lm: Transformer) -> int:
    return _heads(lm) // int(getattr(lm.config, "num_key_value_heads", None) or _heads(lm))
