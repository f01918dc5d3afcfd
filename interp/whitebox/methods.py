"""White-box methods by name: those that need a model's weights, for the words of a battle read in both orders.

A signed method gives half the difference of the two orders, which is about the answers. Saliency, rollout and flow
have no sign: they show where the model looked, not which side it preferred, and give the mean of both orders.
torch is imported when a method runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interp.blackbox.methods import MethodResult, sampled_result
from interp.blackbox.precision import until_precise
from interp.errors import BadOption
from interp.evaluation.faithfulness import max_sensitivity
from interp.masks import Floats
from interp.texts import gettext_noop

if TYPE_CHECKING:
    from interp.attribution import Attribution
    from interp.whitebox.target import Target

SAMPLES = 5  # gradients of a round of GradientSHAP in each order
ROUNDS = 24  # at most
HEAD_MEASURES = ("gradient", "ablation")
SIZES = (
    0.05  # of integrated gradients: half the difference of two orders is smaller than either, so errors weigh more
)


@dataclass(frozen=True)
class WhiteBoxMethod:
    """`run` attributes one order to its tokens, or to its words where tokens do not add up.

    `one_gradient`: the method takes a single one, so that its sensitivity can be measured in a few more. `scaled`: its
    scores are in units of f, so that they can be compared with the effect of hiding words; others only rank. They are
    `complete` if they sum to the change of f from the baseline. A `sampled` method depends on a seed, and is run in rounds
    until the scores have a target standard error.
    """

    name: str
    summary: str
    run: Callable[[Target, int], Attribution]
    signed: bool = True
    one_gradient: bool = False
    scaled: bool = False
    complete: bool = False
    sampled: bool = False


def white_box_scores(
    method: WhiteBoxMethod, targets: Sequence[Target], places: NDArray[np.intp] | None
) -> MethodResult:
    """Scores (words,) of a method, with its parameters in each order.

    Of two targets, a verdict in both orders, they are of the content: `places` (words,) is where each word of the
    first order stands in the second. Of one target they are its own.
    """
    if not method.sampled:
        scores, parameters = _round(method, targets, places, 0)
        return MethodResult(scores, parameters)
    rounds: list[dict[str, Any]] = []

    def draw(seed: int) -> Floats:
        scores, parameters = _round(method, targets, places, seed)
        rounds.append(parameters)
        return scores

    return sampled_result(until_precise(draw, most=ROUNDS), rounds[-1])


def _round(
    method: WhiteBoxMethod, targets: Sequence[Target], places: NDArray[np.intp] | None, seed: int
) -> tuple[Floats, dict[str, Any]]:
    """Scores (words,) of one run of the method in each order, and its parameters."""
    attributions = [method.run(target, seed) for target in targets]
    by_word = [_by_word(attribution) for attribution in attributions]
    parameters = {
        "orders": [
            {"delta": attribution.delta, **_plain(attribution.parameters), "notes": list(attribution.notes)}
            for attribution in attributions
        ],
        "signed": method.signed,
    }
    if places is None:
        return by_word[0], parameters
    return (by_word[0] + (-1 if method.signed else 1) * by_word[1][places]) / 2, parameters


def sensitivity_of(method: WhiteBoxMethod, target: Target, samples: int = 4) -> float:
    """Max-sensitivity of the scores of words: their largest relative change when embeddings move by 2 %."""
    from interp.extras import torch

    def explain(embeddings: Floats) -> Floats:
        moved = target.at(torch.as_tensor(embeddings).to(target.embeddings))
        return np.asarray(_by_word(method.run(moved, 0)))

    return max_sensitivity(explain, target.embeddings.double().cpu().numpy(), samples=samples)


def _by_word(attribution: Attribution) -> Any:
    return attribution.scores if attribution.units == attribution.prompt.words else attribution.by_word().scores


def _plain(parameters: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in parameters.items()
        if isinstance(value, str | int | float | bool | type(None)) or name == "errors"
    }


def head_importance(
    targets: Sequence[Target], by: str, progress: Callable[[int, int], None] | None = None
) -> list[list[float]]:
    """(layers, query heads): the importance of each head for the target; of two orders half their difference.

    By "gradient" to first order, or by "ablation" exactly, one run a head. Raises UnsupportedModel, BadOption.
    """
    from interp.whitebox.heads import ablation_importance, gradient_importance

    if by not in HEAD_MEASURES:
        raise BadOption(f"heads by {by!r}. Expected one of: {', '.join(HEAD_MEASURES)}.")
    importance = [
        (gradient_importance(target) if by == "gradient" else ablation_importance(target, progress)).scores
        for target in targets
    ]
    halves: list[list[float]] = (
        importance[0] if len(importance) == 1 else (importance[0] - importance[1]) / 2
    ).tolist()
    return halves


def _saliency(target: Target, _seed: int) -> Attribution:
    from interp.whitebox.gradients import saliency

    return saliency(target)


def _input_x_gradient(target: Target, _seed: int) -> Attribution:
    from interp.whitebox.gradients import input_x_gradient

    return input_x_gradient(target)


def _integrated_gradients(target: Target, _seed: int) -> Attribution:
    from interp.whitebox.gradients import integrated_gradients

    return integrated_gradients(target, tolerance=SIZES)


def _gradient_shap(target: Target, seed: int) -> Attribution:
    """A round of few samples; the mean of the rounds is checked, so a round is not checked for its sum."""
    from dataclasses import replace

    from interp.whitebox.gradients import gradient_shap

    return replace(gradient_shap(target, SAMPLES, seed=seed), notes=())


def _attn_lrp(target: Target, _seed: int) -> Attribution:
    from interp.whitebox.relevance import attn_lrp

    return attn_lrp(target)


def _chefer(target: Target, _seed: int) -> Attribution:
    """The support for the first side less that for the second: each map alone is positive."""
    from dataclasses import replace

    from interp.whitebox.relevance import chefer

    first, second = chefer(target, "first"), chefer(target, "second")
    return replace(first, scores=np.asarray(first.scores - second.scores))


def _rollout(target: Target, _seed: int) -> Attribution:
    from interp.whitebox.attention import rollout

    return rollout(target)


def _flow(target: Target, _seed: int) -> Attribution:
    from interp.whitebox.flow import flow

    return flow(target, target.prompt.words)


WHITE_BOX = {
    method.name: method
    for method in (
        WhiteBoxMethod(
            "integrated_gradients",
            gettext_noop("gradients on the way from empty text to this one"),
            _integrated_gradients,
            scaled=True,
            complete=True,
        ),
        WhiteBoxMethod(
            "gradient_shap",
            gettext_noop("gradients on the way from shuffled text to this one"),
            _gradient_shap,
            scaled=True,
            complete=True,
            sampled=True,
        ),
        WhiteBoxMethod(
            "input_x_gradient",
            gettext_noop("embeddings times their gradients"),
            _input_x_gradient,
            one_gradient=True,
        ),
        WhiteBoxMethod(
            "saliency",
            gettext_noop("the length of the gradients; without a side"),
            _saliency,
            False,
            one_gradient=True,
        ),
        WhiteBoxMethod(
            "attn_lrp", gettext_noop("relevance passed back through the layers"), _attn_lrp, one_gradient=True
        ),
        WhiteBoxMethod("chefer", gettext_noop("attention weighted with its gradients"), _chefer),
        WhiteBoxMethod(
            "rollout", gettext_noop("attention through all layers; without a side"), _rollout, signed=False
        ),
        WhiteBoxMethod("flow", gettext_noop("maximum flow of attention; without a side"), _flow, signed=False),
    )
}
