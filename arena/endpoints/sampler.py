"""The next token of every row of a batch: one set of tensors for all rows, and one copy of the tokens chosen.

The order is that of transformers' processors: repetition penalty, temperature, top-k, top-p.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from arena.endpoints.generation_plan import Sampling


class Sampler:
    """Chooses tokens for rows that stay the same; `texts` are their tokens so far."""

    def __init__(
        self, samplings: Sequence[Sampling], texts: Sequence[Sequence[int]], logits: torch.Tensor
    ) -> None:
        """Of `logits`, shape (rows, vocabulary), only shape and device are used."""
        self._device = logits.device
        penalties = [sampling.repetition_penalty for sampling in samplings]
        self._seen = _seen(texts, logits) if any(penalty != 1 for penalty in penalties) else None
        self._penalties = self._column(penalties)
        drawn = [row for row, sampling in enumerate(samplings) if not sampling.greedy]
        cut = [row for row in drawn if samplings[row].top_k or samplings[row].top_p < 1]
        whole = [row for row in drawn if row not in set(cut)]
        self._cut, self._whole = self._rows(cut), self._rows(whole)
        self._temperatures = self._column([max(sampling.temperature, 1e-9) for sampling in samplings])
        self._top_ps = self._column([sampling.top_p for sampling in samplings])
        vocabulary = logits.shape[1]
        self._top_ks = self._column([sampling.top_k or vocabulary for sampling in samplings])

    def choose(self, logits: torch.Tensor, uniforms: Sequence[float]) -> list[int | None]:
        """A token for each row, None for a row whose logits are not numbers, which half precision can cause.

        `uniforms` are one random number in [0, 1) for each row.
        """
        scores = logits.float()
        if self._seen is not None:
            penalised = torch.where(scores > 0, scores / self._penalties, scores * self._penalties)
            scores = torch.where(self._seen, penalised, scores)
        best, tokens = scores.max(-1)
        if len(self._cut) or len(self._whole):
            numbers = torch.tensor(uniforms, dtype=torch.float64, device=self._device)[:, None]
            for rows, draw in ((self._cut, self._draw_cut), (self._whole, self._draw_whole)):
                if len(rows):
                    tokens[rows] = draw(scores[rows] / self._temperatures[rows], rows, numbers[rows])
        if self._seen is not None:
            self._seen.scatter_(1, tokens[:, None], True)
        chosen, finite = torch.stack([tokens, best.isfinite().long()]).tolist()
        return [token if number else None for token, number in zip(chosen, finite, strict=True)]

    def _draw_cut(self, scores: torch.Tensor, rows: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        ordered, order = scores.sort(-1, descending=True)
        ranks = torch.arange(scores.shape[1], device=self._device)
        shares = ordered.masked_fill(ranks >= self._top_ks[rows], -torch.inf).softmax(-1)
        before = shares.cumsum(-1) - shares
        picked = _drawn(shares.masked_fill(before >= self._top_ps[rows], 0), numbers)
        return order.gather(1, picked)[:, 0]

    def _draw_whole(self, scores: torch.Tensor, _rows: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        return _drawn(scores.softmax(-1), numbers)[:, 0]

    def _column(self, values: Sequence[float]) -> torch.Tensor:
        return torch.tensor(values, device=self._device)[:, None]

    def _rows(self, rows: Sequence[int]) -> torch.Tensor:
        return torch.tensor(rows, dtype=torch.long, device=self._device)


def _drawn(shares: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Places (rows, 1) drawn with probabilities `shares`, by the inverse of their cumulative sum."""
    sums = shares.cumsum(-1, dtype=torch.float64)
    places = torch.searchsorted(sums, numbers * sums[:, -1:], right=True).clamp_(max=shares.shape[1] - 1)
    possible = shares.gather(1, places) > 0  # rounding can lead past the last one that is
    return torch.where(possible, places, shares.argmax(-1, keepdim=True))


def _seen(texts: Sequence[Sequence[int]], logits: torch.Tensor) -> torch.Tensor:
    """(rows, vocabulary): the tokens that each row has."""
    seen = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
    rows = np.repeat(np.arange(len(texts)), [len(tokens) for tokens in texts])
    tokens = np.concatenate([np.asarray(tokens, dtype=np.int64) for tokens in texts])
    seen[torch.from_numpy(rows).to(logits.device), torch.from_numpy(tokens).to(logits.device)] = True
    return seen
