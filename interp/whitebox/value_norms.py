"""The length of what attention moves from one token to another: |sum over heads of weight * V W_O|.

Kobayashi et al., EMNLP 2020 (arXiv 2004.10102).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from interp.errors import UnsupportedModel
from interp.extras import torch
from interp.whitebox.architecture import attentions_of, output_projection
from interp.whitebox.network_checks import close
from interp.whitebox.projections import projections

if TYPE_CHECKING:
    from interp.whitebox.transformer import Transformer


class ValueNorms:
    """The values and contexts of each layer during a run, and the lengths of what its attention moves.

    Raises UnsupportedModel where values cannot be told from queries and keys.
    """

    def __init__(self, lm: Transformer) -> None:
        self._outputs = [output_projection(attention) for attention in attentions_of(lm)]
        self._heads = int(lm.config.num_attention_heads)
        self._sources = [next(each for each in layer if each.values.any()) for layer in projections(lm)]
        self._values: dict[int, torch.Tensor] = {}
        self._contexts: dict[int, torch.Tensor] = {}
        self._stack = ExitStack()

    def __enter__(self) -> ValueNorms:
        for number, (source, output) in enumerate(zip(self._sources, self._outputs, strict=True)):
            self._stack.callback(source.module.register_forward_hook(self._values_of(number)).remove)
            self._stack.callback(output.register_forward_pre_hook(self._context_of(number)).remove)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _values_of(self, number: int) -> Callable[[Any, Any, Any], None]:
        columns = self._sources[number].values

        def keep(_module: Any, _inputs: Any, output: Any) -> None:
            self._values[number] = output[0][:, columns] if columns.ndim else output[0]

        return keep

    def _context_of(self, number: int) -> Callable[[Any, Any], None]:
        def keep(_module: Any, inputs: Any) -> None:
            self._contexts[number] = inputs[0]

        return keep

    def lengths(self, number: int, weights: torch.Tensor) -> torch.Tensor:
        """(queries, keys) from weights (heads, queries, keys), one query at a time for memory's sake."""
        context = self._contexts.pop(number).reshape(weights.shape[1], self._heads, -1).transpose(0, 1)
        values = self._values.pop(number).unflatten(-1, (-1, context.shape[-1])).transpose(0, 1)
        values = values.repeat_interleave(len(context) // len(values), 0)  # (heads, keys, width)
        if not close(weights @ values, context):
            name = type(self._outputs[number]).__name__
            raise UnsupportedModel(f"values of layer {number} do not give what its {name} reads. Use sink 'drop'.")
        moved = values @ _by_head(self._outputs[number], self._heads)  # (heads, keys, model)
        return torch.stack([torch.einsum("hk,hkd->kd", row, moved).norm(dim=-1) for row in weights.unbind(1)])


def _by_head(output: Any, heads: int) -> torch.Tensor:
    """The output projection (heads, width, model), without its bias."""
    inputs = int(output.weight.shape[0 if type(output).__name__ == "Conv1D" else 1])
    weight = output.weight if type(output).__name__ == "Conv1D" else output.weight.T
    return weight.reshape(heads, inputs // heads, -1)
