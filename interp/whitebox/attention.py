"""Attention through all layers: rollout from the reading position, by matrix-vector products.

    A_l = 1/2 mean over heads of weights_l + 1/2 I,     r <- r A_l  from the last layer down

(Abnar & Zuidema, ACL 2020, arXiv 2005.00928). One row costs O(layers * tokens^2); no product of matrices is
made. Attention shows where a model looked, not what it computed: scores are positive and do not depend on the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from interp.attribution import Attribution
from interp.errors import BadOption, UnsupportedModel
from interp.extras import torch

if TYPE_CHECKING:
    from interp.whitebox.target import Target
    from interp.whitebox.transformer import Transformer

SINKS = ("drop", "norm", "keep")


@contextmanager
def observed(lm: Transformer, observe: Callable[[int, torch.Tensor], None]) -> Iterator[None]:
    """Runs inside show each layer's weights (rows, heads, queries, keys) to `observe(layer, weights)`.

    Only eager attention has weights to show; the network's own implementation is put back at the end. Raises
    UnsupportedModel for layers without `self_attn`.
    """

    def hook(number: int) -> Callable[[Any, Any, Any], None]:
        def show(_module: Any, _inputs: Any, output: Any) -> None:
            observe(number, output[1])

        return show

    own = lm.network.config._attn_implementation
    with ExitStack() as stack:
        for number, layer in enumerate(lm.layers):
            if not hasattr(layer, "self_attn"):
                raise UnsupportedModel(
                    f"layer {number} has no self_attn, so its attention weights cannot be read. Use a black-box method."
                )
            stack.enter_context(_removed(layer.self_attn.register_forward_hook(hook(number))))
        lm.network.set_attn_implementation("eager")
        stack.callback(lm.network.set_attn_implementation, own)
        yield


@contextmanager
def _removed(handle: Any) -> Iterator[None]:
    try:
        yield
    finally:
        handle.remove()


def layers(target: Target, sink: str = "drop") -> list[torch.Tensor]:
    """A_l (tokens, tokens) of each layer, first layer first, rows summing to 1.

    On current models the first token takes a third of every row and is a place to park attention, so that after
    30 layers nothing else is left. `sink` "drop" takes its column out and rescales rows; "norm" weighs by the
    length of what is moved, |sum over heads of weights * V W_O| (Kobayashi et al., EMNLP 2020); "keep" leaves
    weights as they are. Raises BadOption, UnsupportedModel.
    """
    if sink not in SINKS:
        raise BadOption(f"sink {sink!r}. Expected one of: {', '.join(SINKS)}.")
    matrices: dict[int, torch.Tensor] = {}
    moved = _ValueNorms(target.lm) if sink == "norm" else None

    def observe(number: int, weights: torch.Tensor) -> None:
        mean = weights[0].mean(0) if moved is None else moved.lengths(number, weights[0])
        matrices[number] = mixed(without_sink(mean) if sink == "drop" else mean)

    with torch.no_grad(), observed(target.lm, observe), ExitStack() as stack:
        if moved is not None:
            stack.enter_context(moved)
        target.lm.run(target.sequence[None])
    return [matrices[number] for number in sorted(matrices)]


def without_sink(weights: torch.Tensor) -> torch.Tensor:
    """Weights (queries, keys) with nothing on the first key, but for the first query, which sees no other."""
    kept = weights.clone()
    kept[1:, 0] = 0
    return kept


def mixed(weights: torch.Tensor) -> torch.Tensor:
    """Rows rescaled to 1, averaged with the identity: half of a token's state is its own."""
    rows = weights / weights.sum(-1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
    return (rows + torch.eye(len(rows)).to(rows)) / 2


def rolled(matrices: list[torch.Tensor], row: torch.Tensor) -> torch.Tensor:
    """row A_L ... A_1, (tokens,)."""
    for matrix in reversed(matrices):
        row = row @ matrix
    return row


def rollout(target: Target, sink: str = "drop") -> Attribution:
    """The rollout of the position whose state is read, over the prompt's tokens. Options: see `layers`."""
    matrices = layers(target, sink)
    row = rolled(matrices, target.reading_row(len(matrices[0])))
    return target.attribution("rollout", row[: len(target.units)], sink=sink)


class _ValueNorms:
    """The values of each layer during a run, and the lengths of what its attention moves."""

    def __init__(self, lm: Transformer) -> None:
        self._attentions = [layer.self_attn for layer in lm.layers]
        self._values: dict[int, torch.Tensor] = {}
        self._stack = ExitStack()

    def __enter__(self) -> _ValueNorms:
        for number, attention in enumerate(self._attentions):
            if not hasattr(attention, "v_proj") or not hasattr(attention, "o_proj"):
                raise UnsupportedModel(f"layer {number} has no v_proj and o_proj. Use sink 'drop'.")
            self._stack.enter_context(_removed(attention.v_proj.register_forward_hook(self._keeper(number))))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _keeper(self, number: int) -> Callable[[Any, Any, Any], None]:
        def keep(_module: Any, _inputs: Any, output: Any) -> None:
            self._values[number] = output[0]

        return keep

    def lengths(self, number: int, weights: torch.Tensor) -> torch.Tensor:
        """|sum over heads of weights * V W_O| (queries, keys), one query at a time for memory's sake."""
        attention, heads = self._attentions[number], len(weights)
        width = attention.head_dim
        values = self._values.pop(number).unflatten(-1, (-1, width)).transpose(0, 1)  # (kv heads, keys, width)
        values = values.repeat_interleave(heads // len(values), 0)
        output_projection = attention.o_proj.weight.unflatten(-1, (heads, width)).permute(1, 2, 0)
        moved = values @ output_projection  # (heads, keys, model)
        return torch.stack([torch.einsum("hk,hkd->kd", row, moved).norm(dim=-1) for row in weights.unbind(1)])
