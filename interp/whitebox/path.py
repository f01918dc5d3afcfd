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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from interp.errors import BadPrompt
from interp.extras import torch
from interp.masks import Floats
from interp.whitebox.target import Target

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
        shares = target.lm.shares_prefix and target.lm.backward_size.shares(target.first, len(target.units))
        self.first = target.first if shares else 0
        content = torch.as_tensor(target.content, device=target.embeddings.device)[:, None]
        self._end = target.embeddings[self.first :]
        self._start = torch.where(content, baseline, target.embeddings)[self.first :]
        self._change = (self._end - self._start).float()
        self._past = target.opening if shares else None

    def values(self, at: Floats) -> Floats:
        """f (points,) at positions 0 to 1, without gradients."""
        batches: list[Floats] = []

        def run(positions: Sequence[float]) -> None:
            batches.append(self.target.of(self._points(positions), self._past).double().cpu().numpy())

        with torch.no_grad():
            self.target.lm.forward_size.run(at.tolist(), lambda _: len(self._end), run)
        return np.concatenate(batches)

    def slopes(self, at: Floats) -> Floats:
        """(E - B) df/dE summed over the width, (points, tokens)."""
        batches: list[Floats] = []

        def run(positions: Sequence[float]) -> None:
            _, gradient = self.target.slopes(self._points(positions), self._past)
            batches.append((gradient.float() * self._change).sum(-1).double().cpu().numpy())

        self.target.lm.backward_size.run(at.tolist(), lambda _: len(self._end), run)
        slopes = np.concatenate(batches)
        return np.concatenate([np.zeros((len(slopes), self.first)), slopes], axis=1)

    def _points(self, at: Sequence[float]) -> torch.Tensor:
        """Embeddings (points, tokens, width) on the line; half precision would round the positions."""
        shares = torch.tensor(at, dtype=torch.float32, device=self._end.device)[:, None, None]
        return (self._start + shares * self._change).to(self._end.dtype)


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
        (self.raw, self.spread), second = self._next(2)
        self._double(*second)

    def refine(self) -> None:
        """Twice the places."""
        self._double(*self._next(1)[0])

    def _double(self, raw: Floats, spread: Floats) -> None:
        before = self.raw
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

    def _next(self, count: int) -> list[tuple[Floats, Floats]]:
        """The sums of the next rules, whose slopes are computed together."""
        rules = [next(self._rules) for _ in range(count)]
        slopes = self.line.slopes(np.concatenate([at for at, _ in rules]))
        self.steps += len(slopes)
        pieces = np.split(slopes, np.cumsum([len(at) for at, _ in rules])[:-1])
        return [
            (weights @ piece, weights @ np.abs(piece)) for (_, weights), piece in zip(rules, pieces, strict=True)
        ]


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
