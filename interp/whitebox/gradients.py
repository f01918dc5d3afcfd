"""Gradients with respect to embeddings: saliency, input x gradient, integrated gradients, GradientSHAP.

Gradients over token ids do not exist, so all are taken over the embeddings E, (tokens, width), and summed over
the width. A baseline replaces content alone: the template stays as it is, and what stands before the content is
run once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interp.attribution import Attribution
from interp.errors import BadOption
from interp.extras import torch
from interp.notes import INCOMPLETE, ROUGH
from interp.whitebox.path import Integral, Line
from interp.whitebox.target import Target

BASELINE = " the"  # a word that says nothing, on a smoother path than empty lines, zeros or padding

Progress = Callable[[int, float], None]


def saliency(target: Target) -> Attribution:
    """|df/dE_i|, the Euclidean length: how strongly f reacts to token i. Positive, without a side."""
    value, gradient = gradient_of(target)
    return target.attribution("saliency", gradient.norm(dim=-1), value=value)


def input_x_gradient(target: Target) -> Attribution:
    """sum_d E_id df/dE_id: the first-order effect of a token. Signed; sums to nothing in particular."""
    value, gradient = gradient_of(target)
    return target.attribution("input_x_gradient", (gradient * target.embeddings).sum(-1), value=value)


def gradient_of(target: Target) -> tuple[float, torch.Tensor]:
    """f and df/dE (tokens, width), by one run forward and back."""
    values, gradient = target.slopes(target.embeddings[None].clone())
    return float(values), gradient[0]


def integrated_gradients(
    target: Target,
    baseline: str | torch.Tensor = BASELINE,
    *,
    tolerance: float = 0.3,
    max_steps: int = 200,
    progress: Progress | None = None,
) -> Attribution:
    """Integrated gradients (Sundararajan et al., ICML 2017, arXiv 1703.01365) over content tokens.

        a_i = sum_d (E_id - B_id) * integral_0^1 df/dE_id (B + t (E - B)) dt,      sum_i a_i = f(E) - f(B)

    by a trapezoid rule whose places are doubled (`interp.whitebox.path`): 8, 17, 33, 65, 129 gradients, until the
    estimated error of the scores is at most `tolerance` of sum |a_i|, or the next rule would take more than
    `max_steps`. 0.3 keeps the ranking of tokens, 0.05 their sizes. The sum is f(E) - f(B) to rounding, since what
    the rule misses of it is known and shared out; `delta` is what was missed. `baseline` is a text whose last
    token stands in for every content token, "zero", or a tensor (width,). The estimated `error`, `steps`, the
    baseline and the course of convergence (`errors`, [steps, error] of each rule) are recorded, with a note when the
    tolerance was not reached: such a map should not be shown. `progress` is told the steps so far and the error.
    Raises BadOption, BadPrompt.
    """
    if not tolerance > 0:
        raise BadOption(f"tolerance {tolerance:g}. Expected a share above 0, such as 0.05.")
    vector, named = baseline_vector(target, baseline)
    line = Line(target, vector)
    start, end = line.values(np.array([0.0, 1.0])).tolist()
    integral = Integral(line, start, end)
    errors = [[integral.steps, integral.error]]
    while integral.error > tolerance and integral.upcoming <= max_steps:
        if progress:
            progress(integral.steps, integral.error)
        integral.refine()
        errors.append([integral.steps, integral.error])
    attribution = target.attribution(
        "integrated_gradients",
        integral.scores,
        value=end,
        delta=abs(integral.missed),
        baseline=named,
        steps=integral.steps,
        error=integral.error,
        errors=errors,
        change=end - start,
        tolerance=tolerance,
    )
    return attribution.with_note(_rough(integral.error, tolerance))


def gradient_shap(
    target: Target, samples: int = 20, *, seed: int = 0, progress: Progress | None = None
) -> Attribution:
    """Expected gradients (Erion et al., 2021, arXiv 1906.10670): integrated gradients over random baselines.

        a_i = mean over b, t of sum_d (E_id - b_id) df/dE_id (b + t (E - b))

    b puts a random content token of the prompt in each content token's place, t is uniform and stratified.
    `delta` is the distance to f(E) - mean f(b). Raises BadOption for no samples, BadPrompt.
    """
    if samples < 1:
        raise BadOption(f"samples {samples}. Expected at least 1.")
    generator = np.random.default_rng(seed)
    at = (generator.permutation(samples) + generator.random(samples)) / samples
    pool = np.flatnonzero(target.content)
    total, change = np.zeros(len(target.units)), 0.0
    for number, position in enumerate(at, start=1):
        places = generator.choice(pool, len(target.units)) if len(pool) else np.arange(len(target.units))
        line = Line(target, target.embeddings[torch.as_tensor(places)])
        total += line.slopes(np.array([position]))[0] / samples
        change += (target.value - float(line.values(np.array([0.0]))[0])) / samples
        if progress:
            progress(number, abs(float(total.sum()) * samples / number - change * samples / number))
    delta = abs(float(total.sum()) - change)
    attribution = target.attribution(
        "gradient_shap", total, delta=delta, samples=samples, seed=seed, baseline="shuffled content"
    )
    return attribution.with_note(_incomplete(total, delta))


def baseline_vector(target: Target, baseline: Any) -> tuple[torch.Tensor, str]:
    """The (width,) vector of a named baseline, and how it is recorded. Raises BadOption."""
    if isinstance(baseline, torch.Tensor):
        if baseline.shape != target.embeddings.shape[1:]:
            wanted = tuple(target.embeddings.shape[1:])
            raise BadOption(f"a baseline of shape {tuple(baseline.shape)}. Expected {wanted}.")
        return baseline.to(target.embeddings), "given vector"
    if baseline == "zero":
        return torch.zeros_like(target.embeddings[0]), "zero"
    ids = target.lm.tokenizer(baseline, add_special_tokens=False)["input_ids"]
    if not ids:
        raise BadOption(f"baseline {baseline!r} has no token. Expected a text such as a line feed, or zero.")
    return target.lm.embed(torch.tensor(ids[-1:]))[0], f"{baseline!r} (token {ids[-1]})"


def _rough(error: float, tolerance: float) -> str | None:
    if error <= tolerance:
        return None
    return ROUGH.format(error=f"{error:.0%}", tolerance=f"{tolerance:.0%}")


def _incomplete(scores: NDArray[np.float64], delta: float) -> str | None:
    allowed = max(0.1, 0.1 * float(np.abs(scores).sum()))
    if delta <= allowed:
        return None
    return INCOMPLETE.format(miss=f"{delta:.3f}", allowed=f"{allowed:.3f}")
