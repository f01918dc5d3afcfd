"""Relevance of tokens: AttnLRP and CP-LRP by one changed backward pass, Chefer's gradient x attention.

The propagation rule is patented and free for personal and scientific use; take advice before a commercial one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from interp.attribution import Attribution
from interp.errors import BadOption
from interp.extras import torch
from interp.whitebox.attention_weights import observed
from interp.whitebox.gradients import gradient_of
from interp.whitebox.relevance_rules import attn_lrp_rules, cp_lrp_rules
from interp.whitebox.target import Target

SIDES = {"first": 1.0, "second": -1.0}


def attn_lrp(target: Target) -> Attribution:
    """AttnLRP: R_i = sum_d E_id df/dE_id under the rules of `interp.whitebox.relevance_rules`.

    Softmax takes relevance up as a bias does, so scores do not sum to f; the parameter `absorbed` is what is
    missing. Raises UnsupportedModel.
    """
    value, scores = _relevance(target, attn_lrp_rules(target.lm))
    return target.attribution("attn_lrp", scores, value=value, absorbed=value - float(scores.double().sum()))


def cp_lrp(target: Target) -> Attribution:
    """CP-LRP: the same with attention patterns held constant (Ali et al., ICML 2022, arXiv 2202.07304).

    Scores sum to f, and `delta` is the error of that, in a network without biases when each label has one
    spelling: a log-sum-exp over several is not linear. Raises UnsupportedModel.
    """
    value, scores = _relevance(target, cp_lrp_rules(target.lm))
    return target.attribution("cp_lrp", scores, value=value, delta=abs(float(scores.double().sum()) - value))


def _relevance(target: Target, rules: AbstractContextManager[None]) -> tuple[float, torch.Tensor]:
    """f and sum_d E_id df/dE_id under the rules, which do not change f."""
    with rules:
        value, gradient = gradient_of(target)
    return value, (gradient * target.embeddings).sum(-1)


def chefer(target: Target, side: str = "first") -> Attribution:
    """Gradient x attention (Chefer et al., ICCV 2021, arXiv 2103.15679), for one side of the target.

        A_l = mean over heads of relu(+-weights_l * df/dweights_l),   r <- r + r A_l  from the last layer down

    r starts at the token whose state is read. Scores are positive: `side` is whose, "first" for f and "second"
    for -f. Raises BadOption for another side or a target of several completions.
    """
    if side not in SIDES:
        raise BadOption(f"side {side!r}. Expected first or second.")
    if len(target.terms) > 1:
        raise BadOption("gradient x attention reads one run. Omit `against`.")
    layers: dict[int, torch.Tensor] = {}

    def observe(number: int, weights: torch.Tensor) -> None:
        def collect(gradient: torch.Tensor) -> None:
            layers[number] = (SIDES[side] * weights.detach() * gradient).relu_().mean(1)[0]

        weights.register_hook(collect)

    target.lm.check_gradient()  # its runs are not to be observed
    with observed(target.lm, observe):
        values, _ = target.slopes(target.embeddings[None].clone())
    row = target.reading_row(len(next(iter(layers.values()))))
    for number in sorted(layers, reverse=True):
        row = row + row @ layers[number]
    return target.attribution("chefer", row[: len(target.units)], value=float(values), side=side)
