"""The straight path from a baseline to the prompt's embeddings, and integrals of gradients along it.

The slope of f is small where the text is still the baseline or already itself, and moves most in between, where
tokens turn from one into the other: a network that norms its input sees their direction alone, and that turns
fastest there. So the places are denser in the middle,

    t = u + A sin(2 pi u) / (2 pi) + C (1 - cos(2 pi u)) / 2,

which is about even steps of the angle between the two embeddings, and the trapezoid rule in u converges as it does
for periodic functions: as fast as the error of half as many places squared. A and C were chosen on recorded
gradients of SmolLM2-135M; they decide how many places are needed, not what the integral is. Source of the rule's
convergence: Trefethen & Weideman, SIAM Review 56 (2014).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from interp.errors import BadPrompt
from interp.extras import torch
from interp.masks import Floats
from interp.whitebox.target import Target

TOKENS = 128  # in one backward pass; longer rows go one by one. It bounds the memory of activations
A, C = 0.3, 0.06
FIRST = 4  # places of the first rule; the second doubles them before anything is told


class Line:
    """f and its slopes on the straight line from a baseline to the prompt's embeddings.

    `baseline` (tokens, width) is taken for content alone. Raises BadPrompt for a prompt without content.
    """

    def __init__(self, target: Target, baseline: torch.Tensor) -> None:
        if not target.content.any():
            raise BadPrompt("The prompt has no content. Name a segment to attribute to.")
        self.target = target
        self.first = target.first
        content = torch.as_tensor(target.content, device=target.embeddings.device)[:, None]
        self._end = target.embeddings[self.first :]
        self._start = torch.where(content, baseline, target.embeddings)[self.first :]
        self._past = target.opening

    def values(self, at: Floats) -> Floats:
        """f (points,) at positions 0 to 1, without gradients."""
        with torch.no_grad():
            batches = [
                self.target.of(rows, self._past).double().cpu().numpy()
                for rows in self._points(at, self.target.lm.batch_tokens)
            ]
        return np.concatenate(batches)

    def slopes(self, at: Floats) -> Floats:
        """(E - B) df/dE summed over the width, (points, tokens)."""
        batches = []
        for rows in self._points(at, TOKENS):
            rows.requires_grad_(True)
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(self.target.of(rows, self._past).sum(), rows)
            batches.append((gradient * (self._end - self._start)).sum(-1).double().cpu().numpy())
        slopes = np.concatenate(batches)
        return np.concatenate([np.zeros((len(slopes), self.first)), slopes], axis=1)

    def _points(self, at: Floats, tokens: int) -> Iterator[torch.Tensor]:
        rows = max(1, tokens // len(self._end))
        for low in range(0, len(at), rows):
            share = torch.as_tensor(at[low : low + rows]).to(self._end)[:, None, None]
            yield self._start + share * (self._end - self._start)


@dataclass
class Integral:
    """The integral of the slopes over the line, (tokens,), by a rule that `refine` doubles; no gradient is lost.

    `raw` is the rule's own sum. `error` is the estimated |raw - integral| as a share of |raw|, both summed over
    tokens: what the last doubling changed, d, times d / spread, since convergence is geometric, and never less
    than what `raw` misses of the change of f, which is known. `spread` is the integral of the slopes' sizes.
    """

    line: Line
    start: float
    end: float
    steps: int = 0
    raw: Floats = field(init=False)
    spread: Floats = field(init=False)
    error: float = field(init=False, default=np.inf)

    def __post_init__(self) -> None:
        self._rules = _rules()
        self.raw, self.spread = self._next()
        self.refine()

    def refine(self) -> None:
        """Twice the places."""
        before = self.raw
        raw, spread = self._next()
        self.raw, self.spread = (before + raw) / 2, (self.spread + spread) / 2
        mass = float(np.abs(self.raw).sum())
        if not mass:
            self.error = 0.0
            return
        moved = float(np.abs(self.raw - before).sum()) / mass
        shrinks = min(1.0, moved * mass / float(self.spread.sum()))
        self.error = max(moved * shrinks, abs(self.missed) / mass)

    @property
    def upcoming(self) -> int:
        """Steps after another `refine`."""
        return 2 * self.steps + (1 if self.steps == 2 * FIRST else -1)

    @property
    def missed(self) -> float:
        """f(E) - f(B) less the sum of `raw`."""
        return self.end - self.start - float(self.raw.sum())

    @property
    def scores(self) -> Floats:
        """`raw` with what it misses shared out by the tokens' spread: they sum to f(E) - f(B)."""
        whole = float(self.spread.sum())
        return self.raw + self.missed * self.spread / whole if whole else self.raw

    def _next(self) -> tuple[Floats, Floats]:
        at, weights = next(self._rules)
        slopes = self.line.slopes(at)
        self.steps += len(at)
        return weights @ slopes, weights @ np.abs(slopes)


def _rules() -> Iterator[tuple[Floats, Floats]]:
    """Places and weights. Each rule has as many panels as all before it together, and the mean with those is the
    rule of twice the panels."""
    even = np.arange(FIRST) / FIRST
    yield _rule(even + 1 / (4 * FIRST))
    yield _rule(even + 3 / (4 * FIRST))
    panels = 2 * FIRST
    yield _rule(np.arange(panels + 1) / panels)
    while True:
        panels *= 2
        yield _rule((np.arange(panels) + 0.5) / panels)


def _rule(u: Floats) -> tuple[Floats, Floats]:
    """The trapezoid rule at even u, where 0 and 1 together count as one place."""
    turn = 2 * np.pi * u
    weights = 1 + A * np.cos(turn) + C * np.pi * np.sin(turn)
    weights[np.isin(u, (0.0, 1.0))] /= 2
    return u + A * np.sin(turn) / (2 * np.pi) + C * (1 - np.cos(turn)) / 2, weights / weights.sum()
