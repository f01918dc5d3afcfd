"""Gradients with respect to embeddings: saliency, input x gradient, integrated gradients, GradientSHAP.

Gradients over token ids do not exist, so all are taken over the embeddings E, (tokens, width), and summed over
the width. A baseline replaces content alone: the template stays as it is, and what stands before the content is
run once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interp.attribution import Attribution, Floats
from interp.errors import BadOption, BadPrompt
from interp.extras import torch
from interp.target import Target

BASELINE = "\n"  # content becomes empty lines: text that says nothing, on a smoother path than zeros or padding
NODES = 3  # of each interval: exact for polynomials of degree 5, and few enough to place them where f moves
INTERVALS = 4
TOKENS = 128  # in one backward pass; longer rows go one by one. It bounds the memory of activations
LOCAL = 10.0  # how much larger the sum of the intervals' own errors may be than the error of their sum

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
    embeddings = target.embeddings[None].clone().requires_grad_(True)
    with torch.enable_grad():
        value = target.of(embeddings)
        (gradient,) = torch.autograd.grad(value.sum(), embeddings)
    return float(value.detach()), gradient[0]


class Line:
    """f and its slopes on the straight line from a baseline to the prompt's embeddings.

    `baseline` (tokens, width) is taken for content alone. Raises BadPrompt for a prompt without content.
    """

    def __init__(self, target: Target, baseline: torch.Tensor) -> None:
        if not target.content.any():
            raise BadPrompt("the prompt has no content: name a segment, there is nothing to attribute to")
        self.target = target
        self.first = int(np.argmax(target.content))
        content = torch.as_tensor(target.content, device=target.embeddings.device)[:, None]
        self._end = target.embeddings[self.first :]
        self._start = torch.where(content, baseline, target.embeddings)[self.first :]
        self._past = target.prefix.cut(self.first) if self.first else None
        self._rows = max(1, TOKENS // len(self._end))

    def values(self, at: Floats) -> Floats:
        """f (points,) at positions 0 to 1, without gradients."""
        with torch.no_grad():
            return np.concatenate(
                [self.target.of(rows, self._past).double().cpu().numpy() for rows in self._points(at)]
            )

    def slopes(self, at: Floats) -> Floats:
        """(E - B) df/dE summed over the width, (points, tokens)."""
        found = []
        for rows in self._points(at):
            rows.requires_grad_(True)
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(self.target.of(rows, self._past).sum(), rows)
            found.append((gradient * (self._end - self._start)).sum(-1).double().cpu().numpy())
        inside = np.concatenate(found)
        return np.concatenate([np.zeros((len(inside), self.first)), inside], axis=1)

    def _points(self, at: Floats) -> Iterator[torch.Tensor]:
        for low in range(0, len(at), self._rows):
            share = torch.as_tensor(at[low : low + self._rows]).to(self._end)[:, None, None]
            yield self._start + share * (self._end - self._start)


@dataclass
class _Integral:
    """A composite Gauss-Legendre sum that is refined where it is worst.

    On each interval the sum over tokens must be the difference of f at its ends: that is its own error.
    """

    line: Line
    steps: int = 0
    intervals: list[tuple[float, float, Floats, float]] = field(default_factory=list)
    known: dict[float, float] = field(default_factory=dict)

    def add(self, ends: list[tuple[float, float]]) -> None:
        new = [x for x in dict.fromkeys(x for pair in ends for x in pair) if x not in self.known]
        if new:
            self.known |= dict(zip(new, self.line.values(np.array(new)).tolist(), strict=True))
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        at = np.concatenate([low + (high - low) * (nodes + 1) / 2 for low, high in ends])
        slopes = self.line.slopes(at).reshape(len(ends), NODES, -1)
        self.steps += len(at)
        for (low, high), each in zip(ends, slopes, strict=True):
            scores = (high - low) / 2 * (weights @ each)
            error = abs(float(scores.sum()) - (self.known[high] - self.known[low]))
            self.intervals.append((low, high, scores, error))

    def split(self, share: float) -> None:
        """Halve the worst interval, and others whose error is at least `share` of its."""
        worst = max(error for *_, error in self.intervals)
        bad = [each for each in self.intervals if each[3] >= share * worst]
        self.intervals = [each for each in self.intervals if each[3] < share * worst]
        halves = [(low, (low + high) / 2, high) for low, high, *_ in bad]
        self.add([pair for low, middle, high in halves for pair in ((low, middle), (middle, high))])

    @property
    def scores(self) -> Floats:
        return np.asarray(sum(each[2] for each in self.intervals), dtype=np.float64)

    @property
    def change(self) -> float:
        return self.known[1.0] - self.known[0.0]

    @property
    def delta(self) -> float:
        return abs(float(self.scores.sum()) - self.change)

    def close(self, tolerance: float) -> bool:
        allowed = tolerance * float(np.abs(self.scores).sum())
        return self.delta <= allowed and sum(error for *_, error in self.intervals) <= LOCAL * allowed


def integrated_gradients(
    target: Target,
    baseline: str | torch.Tensor = BASELINE,
    *,
    tolerance: float = 0.01,
    max_steps: int = 200,
    progress: Progress | None = None,
) -> Attribution:
    """Integrated gradients (Sundararajan et al., ICML 2017, arXiv 1703.01365) over content tokens.

        a_i = sum_d (E_id - B_id) * integral_0^1 df/dE_id (B + t (E - B)) dt,      sum_i a_i = f(E) - f(B)

    by Gauss-Legendre nodes on intervals that are halved where the sum is off, until the completeness error is at
    most `tolerance` of sum |a_i|, or `max_steps` gradients are taken. `baseline` is a text that stands in for
    every content token, "zero", or a tensor (width,). `delta`, `steps`, the baseline and the `history` of
    convergence (steps, delta after each round) are recorded, with a note
    when the error stayed above max(0.1, 10 % of sum |a_i|): such a map should not be shown. `progress` is told
    the steps so far and the error. Raises BadOption, BadPrompt.
    """
    if not tolerance > 0:
        raise BadOption(f"tolerance {tolerance:g}; expected a share above 0, such as 0.01")
    vector, named = baseline_vector(target, baseline)
    integral = _Integral(Line(target, vector))
    ends = np.linspace(0, 1, INTERVALS + 1)
    integral.add(list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)))
    history = [[integral.steps, integral.delta]]
    while not integral.close(tolerance) and integral.steps + 2 * NODES <= max_steps:
        if progress:
            progress(integral.steps, integral.delta)
        integral.split(share=0.5)
        history.append([integral.steps, integral.delta])
    scores, delta = integral.scores, integral.delta
    found = target.attribution(
        "integrated_gradients",
        scores,
        value=integral.known[1.0],
        delta=delta,
        baseline=named,
        steps=integral.steps,
        history=history,
        change=integral.change,
        tolerance=tolerance,
    )
    return found.noted(_incomplete(scores, delta))


def gradient_shap(
    target: Target, samples: int = 20, *, seed: int = 0, progress: Progress | None = None
) -> Attribution:
    """Expected gradients (Erion et al., 2021, arXiv 1906.10670): integrated gradients over random baselines.

        a_i = mean over b, t of sum_d (E_id - b_id) df/dE_id (b + t (E - b))

    b puts a random content token of the prompt in each content token's place, t is uniform and stratified.
    `delta` is the distance to f(E) - mean f(b). Raises BadOption for no samples, BadPrompt.
    """
    if samples < 1:
        raise BadOption(f"samples {samples}; expected at least 1")
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
    found = target.attribution(
        "gradient_shap", total, delta=delta, samples=samples, seed=seed, baseline="shuffled content"
    )
    return found.noted(_incomplete(total, delta))


def baseline_vector(target: Target, baseline: Any) -> tuple[torch.Tensor, str]:
    """The (width,) vector of a named baseline, and how it is recorded. Raises BadOption."""
    if isinstance(baseline, torch.Tensor):
        if baseline.shape != target.embeddings.shape[1:]:
            wanted = tuple(target.embeddings.shape[1:])
            raise BadOption(f"a baseline of shape {tuple(baseline.shape)}; expected {wanted}")
        return baseline.to(target.embeddings), "given vector"
    if baseline == "zero":
        return torch.zeros_like(target.embeddings[0]), "zero"
    ids = target.lm.tokenizer(baseline, add_special_tokens=False)["input_ids"]
    if not ids:
        raise BadOption(f"baseline {baseline!r} has no token; expected a text such as a line feed, or zero")
    return target.lm.embed(torch.tensor(ids[-1:]))[0], f"{baseline!r} (token {ids[-1]})"


def _incomplete(scores: NDArray[np.float64], delta: float) -> str | None:
    allowed = max(0.1, 0.1 * float(np.abs(scores).sum()))
    if delta <= allowed:
        return None
    return f"scores miss their sum by {delta:.3f}, more than {allowed:.3f}: do not rely on this; allow more steps"
