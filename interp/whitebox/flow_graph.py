"""The flow of attention from the parts of a text to the verdict, level by level, for a drawing."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interp.masks import Floats
from interp.texts import gettext_noop

if TYPE_CHECKING:
    from interp.whitebox.target import Target

THE_ANSWER, THE_VERDICT = gettext_noop("the answer"), gettext_noop("the verdict")  # nodes at the end


@dataclass(frozen=True)
class FlowGraph:
    """Labels of the parts of a text, and edges (level, from, to, weight): from a part at a level, 0 the input, to
    one at the next. `layers` of the network were joined to `levels`."""

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int, int, float], ...]
    layers: int | None = None
    levels: int | None = None


def flow_graph(target: Target, nodes: int = 16, levels: int = 10) -> FlowGraph:
    """What reaches the place of the verdict from each part of the text, level by level, for a drawing.

    Parts are the sentences of the content and what the template says between them; neighbours are taken together
    until there are `nodes`. The matrices of neighbouring layers are multiplied until there are `levels`. An edge's
    weight is the share of the verdict's attention that passes through it, and every level's weights sum to one:
    what reaches its upper end, times the attention of the upper to the lower part. Raises UnsupportedModel.
    """
    labels, members = _parts(target, nodes)
    members[-1] = list(range(len(target.units) - 1, len(target.sequence)))  # of an answer, all its tokens
    between = _between_levels(target, members, levels)
    reached = np.zeros(len(members))
    reached[-1] = 1.0
    edges: list[tuple[int, int, int, float]] = []
    for level in range(len(between) - 1, -1, -1):
        passed = reached[:, None] * between[level]
        edges += [
            (level, key, query, float(passed[query, key])) for query, key in np.argwhere(passed > 0).tolist()
        ]
        reached = passed.sum(axis=0)
    return FlowGraph(tuple(labels), tuple(edges), len(target.lm.layers), len(between))


def _between_levels(target: Target, members: list[list[int]], most: int) -> list[Floats]:
    """For each level (parts, parts): attention of one part's tokens to another's, the mean over the part.

    The matrices of a level's layers are multiplied from the right with one column a part, each as soon as its layer has
    run: none is kept.
    """
    from interp.extras import torch
    from interp.whitebox.attention import each_layer

    depth = len(target.lm.layers)
    ends = np.linspace(0, depth, min(most, depth) + 1).round().astype(int).tolist()[1:]
    columns = torch.zeros((len(target.sequence), len(members)), dtype=torch.float64)
    for part, inside in enumerate(members):
        columns[inside, part] = 1
    between, reached = list[Floats](), columns

    def push(number: int, matrix: torch.Tensor) -> None:
        nonlocal reached
        reached = (matrix @ reached.to(matrix)).double()
        if number + 1 in ends:
            rows = [reached[inside].mean(0).cpu().numpy() for inside in members]
            between.append(np.stack(rows))
            reached = columns

    each_layer(target, push)
    return between


def _parts(target: Target, most: int) -> tuple[list[str], list[list[int]]]:
    """Labels and tokens of the parts of a text, from its first token to the last; that one is a part of its own."""
    starts = {unit.start: unit.text for unit in target.prompt.sentences}
    ends = {end for _, _, end in target.prompt.segments}
    labels, members = list[str](), list[list[int]]()
    inside = None
    for number, unit in enumerate(target.units[:-1]):
        anchor = unit.start + len(unit.text) - len(unit.text.lstrip())
        begun = next((text for start, text in starts.items() if unit.start <= start <= anchor < unit.end), None)
        kind = unit.segment is not None
        if begun is not None or inside != kind or unit.start in ends or not members:
            labels.append(" ".join((begun or unit.text).split()) if kind else "(template)")
            members.append([])
        members[-1].append(number)
        inside = kind
    while len(members) >= most:
        at = int(np.argmin([len(a) + len(b) for a, b in itertools.pairwise(members)]))
        members[at : at + 2] = [members[at] + members[at + 1]]
        labels[at : at + 2] = [labels[at] if labels[at] != "(template)" else labels[at + 1]]
    end = THE_ANSWER if len(target.terms[0].suffix) else THE_VERDICT
    return [*labels, end], [*members, [len(target.units) - 1]]
