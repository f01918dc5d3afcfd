"""Attention flow: how much of the reading position's attention can reach each token, as a maximum flow.

A graph of layers + 1 rows of tokens; the edge from token i of layer l down to token j of layer l - 1 has the
capacity A_l[i, j] of `interp.whitebox.attention.layers` (Abnar & Zuidema, ACL 2020). One flow a unit: `flow_cost` estimates
the time beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from interp.attribution import Attribution
from interp.errors import BadOption
from interp.masks import Floats
from interp.prompt import Unit, groups
from interp.whitebox.attention import layers

if TYPE_CHECKING:
    from interp.whitebox.target import Target

SCALE = 10**8  # capacities become integers; a flow is at most 1, so sums stay below 2^31
SECONDS = 6e-8  # for an edge and a flow, measured with 30 layers and 40 to 160 tokens on one core


@dataclass(frozen=True)
class FlowCost:
    """The cost of `flow`: edges of the graph, flows to compute, and an estimate of the seconds."""

    edges: int
    flows: int
    seconds: float


def flow_cost(target: Target, units: Sequence[Unit] | None = None) -> FlowCost:
    """The cost of `flow` on this prompt, from its size alone."""
    tokens = len(target.sequence)
    edges = len(target.lm.layers) * tokens * (tokens + 1) // 2
    flows = len(target.units if units is None else units)
    return FlowCost(edges, flows, edges * flows * SECONDS)


def flow(
    target: Target, units: Sequence[Unit] | None = None, *, sink: str = "drop", seconds: float = 120.0
) -> Attribution:
    """The maximum flow from the reading position to each unit: to each token, or to a word's tokens together.

    A flow to two tokens is less than the sum of their flows: give words as `units` instead of calling `by_word`.
    Raises BadOption when `flow_cost` is more than `seconds`.
    """
    wanted = tuple(target.units if units is None else units)
    needed = flow_cost(target, wanted)
    if needed.seconds > seconds:
        raise BadOption(
            f"attention flow to {needed.flows} units over {needed.edges:,} edges takes about {needed.seconds:.0f} "
            f"seconds. Give units=prompt.words or prompt.sentences, or seconds={needed.seconds:.0f} to allow it."
        )
    matrices = [matrix.double().cpu().numpy() for matrix in layers(target, sink)]
    row = target.reading_row(len(matrices[0])).double().cpu().numpy()
    sinks = groups(target.units, wanted) if units is not None else [[at] for at in range(len(wanted))]
    by_token = target.attribution("flow", np.zeros(len(target.units)), sink=sink)
    return Attribution(
        method="flow",
        parameters=by_token.parameters,
        prompt=target.prompt,
        units=wanted,
        scores=maximum_flows(matrices, row, sinks),
        target=target.name,
        value=target.value,
    )


def maximum_flows(matrices: Sequence[Floats], row: Floats, sinks: Sequence[Sequence[int]]) -> Floats:
    """Flows (sinks,) from positions weighted by `row` at the top to each group of positions at the bottom."""
    tokens, depth = len(row), len(matrices)
    source = (depth + 1) * tokens
    graph = _graph(matrices, row)
    return np.array([_flow(graph, source, inside) for inside in sinks])


def _graph(matrices: Sequence[Floats], row: Floats) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Ends and integer capacities of all edges. Node layer * tokens + i; layer 0 is the bottom."""
    tokens = len(row)
    heads, tails, capacities = [], [], []
    for number, matrix in enumerate(matrices):
        above, below = np.nonzero(np.rint(matrix * SCALE))
        heads.append((number + 1) * tokens + above)
        tails.append(number * tokens + below)
        capacities.append(np.rint(matrix[above, below] * SCALE))
    top = np.flatnonzero(row)
    heads.append(np.full(len(top), (len(matrices) + 1) * tokens))
    tails.append(len(matrices) * tokens + top)
    capacities.append(np.rint(row[top] * SCALE))
    return heads, tails, capacities


def _flow(graph: tuple[list[np.ndarray], ...], source: int, inside: Sequence[int]) -> float:
    if not inside:
        return 0.0
    heads, tails, capacities = graph
    drain = source + 1
    rows = np.concatenate([*heads, np.asarray(inside)]).astype(np.int32)
    columns = np.concatenate([*tails, np.full(len(inside), drain)]).astype(np.int32)
    data = np.concatenate([*capacities, np.full(len(inside), SCALE)]).astype(np.int32)
    matrix = csr_array((data, (rows, columns)), shape=(drain + 1, drain + 1))
    return float(maximum_flow(matrix, source, drain).flow_value) / SCALE
