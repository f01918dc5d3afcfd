"""Attention through all layers: rollout from the reading position, by matrix-vector products.

    A_l = 1/2 mean over heads of weights_l + 1/2 I,     r <- r A_l  from the last layer down

(Abnar & Zuidema, ACL 2020, arXiv 2005.00928). One row costs O(layers * tokens^2); no product of matrices is
made. Attention shows where a model looked, not what it computed: scores are positive and do not depend on the target.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from interp.attribution import Attribution
from interp.errors import BadOption
from interp.extras import torch
from interp.whitebox.attention_weights import observed
from interp.whitebox.value_norms import ValueNorms

if TYPE_CHECKING:
    from interp.whitebox.target import Target

SINKS = ("drop", "norm", "keep")


def each_layer(target: Target, take: Callable[[int, torch.Tensor], None], sink: str = "drop") -> None:
    """Call `take(layer, A_l)` with the matrix (tokens, tokens) of each layer, first layer first, rows summing to 1.

    On current models the first token takes a third of every row and is a place to park attention, so that after
    30 layers nothing else is left. `sink` "drop" takes its column out and rescales rows; "norm" weighs by the
    length of what is moved, |sum over heads of weights * V W_O| (Kobayashi et al., EMNLP 2020); "keep" leaves
    weights as they are. No matrix is kept. Raises BadOption, UnsupportedModel.
    """
    if sink not in SINKS:
        raise BadOption(f"sink {sink!r}. Expected one of: {', '.join(SINKS)}.")
    moved = ValueNorms(target.lm) if sink == "norm" else None

    def observe(number: int, weights: torch.Tensor) -> None:
        mean = weights[0].mean(0) if moved is None else moved.lengths(number, weights[0])
        take(number, mixed(without_sink(mean) if sink == "drop" else mean))

    with torch.no_grad(), observed(target.lm, observe), ExitStack() as stack:
        if moved is not None:
            stack.enter_context(moved)
        target.lm.run(target.sequence[None])


def layers(target: Target, sink: str = "drop") -> list[torch.Tensor]:
    """A_l (tokens, tokens) of every layer, first layer first: 4 bytes * layers * tokens^2. See `each_layer`."""
    matrices: dict[int, torch.Tensor] = {}
    each_layer(target, matrices.__setitem__, sink)
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
