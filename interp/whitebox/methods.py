"""The methods that need a model's weights, by name, for the words of a battle read in both orders.

A signed method counts half the difference of the two orders, so that what remains is about the answers. Saliency,
rollout and flow have no sign: they say where the model looked, not for whom, and count the mean of both orders.
torch is imported when a method runs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interp.blackbox.methods import Scored
from interp.blackbox.perturbation import Floats
from interp.errors import BadOption
from interp.evaluation.faithfulness import max_sensitivity

if TYPE_CHECKING:
    from interp.attribution import Attribution
    from interp.whitebox.target import Target

HEADS = ("gradient", "ablation")
SIZES = (
    0.05  # of integrated gradients: half the difference of two orders is smaller than either, so errors weigh more
)


@dataclass(frozen=True)
class Inside:
    """`run` attributes one order to its tokens, or to its words where tokens do not add up. `steady`: it is one
    gradient, so that its sensitivity can be measured in a few more."""

    name: str
    says: str
    run: Callable[[Target], Attribution]
    signed: bool = True
    steady: bool = False


def scores(chosen: Inside, targets: Sequence[Target], places: NDArray[np.intp] | None) -> Scored:
    """Scores (words,), with what the method recorded of each order.

    Of two targets, a verdict in both orders, they are of the content: `places` (words,) is where each word of the
    first order stands in the second. Of one target they are its own.
    """
    found = [chosen.run(target) for target in targets]
    each = [_by_word(one) for one in found]
    told = {
        "orders": [{"delta": one.delta, **_plain(one.parameters), "notes": list(one.notes)} for one in found],
        "signed": chosen.signed,
    }
    if places is None:
        return Scored(each[0], told)
    return Scored((each[0] + (-1 if chosen.signed else 1) * each[1][places]) / 2, told)


def steadiness(chosen: Inside, target: Target, samples: int = 4) -> float:
    """Max-sensitivity of the scores of words: their largest relative change when embeddings move by 2 %."""
    from interp.extras import torch

    def explain(embeddings: Floats) -> Floats:
        moved = target.at(torch.as_tensor(embeddings).to(target.embeddings))
        return np.asarray(_by_word(chosen.run(moved)))

    return max_sensitivity(explain, target.embeddings.double().cpu().numpy(), samples=samples)


def _by_word(found: Attribution) -> Any:
    return found.scores if found.units == found.prompt.words else found.by_word().scores


def _plain(parameters: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in parameters.items()
        if isinstance(value, str | int | float | bool | type(None)) or name == "errors"
    }


def head_importance(
    targets: Sequence[Target], by: str, progress: Callable[[int, int], None] | None = None
) -> list[list[float]]:
    """(layers, query heads): what the target owes to each head, of two orders half their difference.

    By "gradient" to first order, or by "ablation" exactly, one run a head. Raises UnsupportedModel, BadOption.
    """
    from interp.whitebox.heads import ablation_importance, gradient_importance

    if by not in HEADS:
        raise BadOption(f"heads by {by!r}; expected one of: {', '.join(HEADS)}")
    found = [
        (gradient_importance(one) if by == "gradient" else ablation_importance(one, progress)).scores
        for one in targets
    ]
    halves: list[list[float]] = (found[0] if len(found) == 1 else (found[0] - found[1]) / 2).tolist()
    return halves


def flow_graph(target: Target, nodes: int = 16, levels: int = 10) -> dict[str, Any]:
    """What reaches the place of the verdict from each part of the text, level by level, for a drawing.

    Parts are the sentences of the content and what the template says between them; neighbours are taken together
    until there are `nodes`. The matrices of neighbouring layers are multiplied until there are `levels`. An edge's
    weight is the share of the verdict's attention that passes through it, and every level's weights sum to one:
    what reaches its upper end, times the attention of the upper to the lower part. Raises UnsupportedModel.
    """
    from interp.whitebox.attention import layers

    labels, members = _parts(target, nodes)
    matrices = [matrix.double().cpu().numpy() for matrix in layers(target)]
    members[-1] = list(range(len(target.units) - 1, len(matrices[0])))  # of an answer, all its tokens
    between = [
        _between(np.linalg.multi_dot([*reversed(some)]) if len(some) > 1 else some[0], members)
        for some in _runs(matrices, levels)
    ]
    reached = np.zeros(len(members))
    reached[-1] = 1.0
    edges = []
    for level in range(len(between) - 1, -1, -1):
        passed = reached[:, None] * between[level]
        edges += [
            [level, key, query, float(passed[query, key])] for query, key in np.argwhere(passed > 0).tolist()
        ]
        reached = passed.sum(axis=0)
    return {"nodes": labels, "edges": edges, "layers": len(matrices), "levels": len(between)}


def _runs(matrices: list[Floats], most: int) -> list[list[Floats]]:
    """Neighbouring layers in `most` runs of about the same length."""
    cuts = np.linspace(0, len(matrices), min(most, len(matrices)) + 1).round().astype(int)
    return [matrices[low:high] for low, high in itertools.pairwise(cuts)]


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
    end = "the answer" if len(target.terms[0].suffix) else "the verdict"
    return [*labels, end], [*members, [len(target.units) - 1]]


def _between(matrix: Floats, inside: list[list[int]]) -> Floats:
    """(parts, parts): attention of one part's tokens to another's, the mean over the part."""
    columns = np.stack([matrix[:, members].sum(axis=1) for members in inside], axis=1)
    return np.stack([columns[members].mean(axis=0) for members in inside])


def _saliency(target: Target) -> Attribution:
    from interp.whitebox.gradients import saliency

    return saliency(target)


def _input_x_gradient(target: Target) -> Attribution:
    from interp.whitebox.gradients import input_x_gradient

    return input_x_gradient(target)


def _integrated_gradients(target: Target) -> Attribution:
    from interp.whitebox.gradients import integrated_gradients

    return integrated_gradients(target, tolerance=SIZES)


def _gradient_shap(target: Target) -> Attribution:
    from interp.whitebox.gradients import gradient_shap

    return gradient_shap(target)


def _attn_lrp(target: Target) -> Attribution:
    from interp.whitebox.relevance import attn_lrp

    return attn_lrp(target)


def _chefer(target: Target) -> Attribution:
    """What speaks for the first side less what speaks for the second: each map alone is positive."""
    from dataclasses import replace

    from interp.whitebox.relevance import chefer

    first, second = chefer(target, "first"), chefer(target, "second")
    return replace(first, scores=np.asarray(first.scores - second.scores))


def _rollout(target: Target) -> Attribution:
    from interp.whitebox.attention import rollout

    return rollout(target)


def _flow(target: Target) -> Attribution:
    from interp.whitebox.flow import flow

    return flow(target, target.prompt.words)


INSIDE = {
    one.name: one
    for one in (
        Inside("integrated_gradients", "gradients on the way from empty text to this one", _integrated_gradients),
        Inside("gradient_shap", "gradients on the way from shuffled text to this one", _gradient_shap),
        Inside("input_x_gradient", "embeddings times their gradients", _input_x_gradient, steady=True),
        Inside("saliency", "the length of the gradients; without a side", _saliency, False, steady=True),
        Inside("attn_lrp", "relevance passed back through the layers", _attn_lrp, steady=True),
        Inside("chefer", "attention weighted with its gradients", _chefer),
        Inside("rollout", "attention through all layers; without a side", _rollout, signed=False),
        Inside("flow", "maximum flow of attention; without a side", _flow, signed=False),
    )
}
