"""The number to explain: a function of the tokens of one prompt, of their embeddings, or of a mask over units.

    f(x) = sum over terms of  sign * read(norm(h)),

h the hidden states behind the prompt's last token (and behind the tokens of a completion that is scored).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interp.attribution import Attribution
from interp.errors import BadOption
from interp.extras import torch
from interp.masks import Floats, Masks, Value
from interp.prompt import Prompt, Unit, groups
from interp.whitebox.packing import passes
from interp.whitebox.prefix import Prefix

if TYPE_CHECKING:
    from interp.whitebox.transformer import Transformer


@dataclass(frozen=True)
class Term:
    """One run's part of a target.

    `suffix` (tokens,) follows the prompt and is never hidden. `read` takes the normed hidden states of the
    prompt's last token and of the suffix (rows, tokens + 1, width) and returns (rows,).
    """

    suffix: torch.Tensor
    read: Callable[[torch.Tensor], torch.Tensor]
    sign: float = 1.0


@dataclass(frozen=True)
class Target:
    """What `CausalLM.contrast` and `CausalLM.answer` make, and every method takes.

    `units` are the tokens of the prompt, `ids` (tokens,) their numbers.
    """

    lm: Transformer
    prompt: Prompt
    units: tuple[Unit, ...]
    ids: torch.Tensor
    name: str
    terms: tuple[Term, ...]

    @cached_property
    def embeddings(self) -> torch.Tensor:
        """(tokens, width), detached."""
        return self.lm.embed(self.ids)

    def at(self, embeddings: torch.Tensor) -> Target:
        """The same target at other embeddings (tokens, width) of the same tokens."""
        moved = replace(self)
        moved.__dict__["embeddings"] = embeddings  # where `cached_property` keeps it
        return moved

    @cached_property
    def sequence(self) -> torch.Tensor:
        """(tokens, width): the prompt with the suffix of its first term, as one run reads them."""
        return torch.cat([self.embeddings, self.lm.embed(self.terms[0].suffix)])

    @cached_property
    def content(self) -> NDArray[np.bool_]:
        """(tokens,): True for tokens of a segment, False for template."""
        return np.array([unit.segment is not None for unit in self.units])

    @property
    def first(self) -> int:
        """The first token of content; 0 where all is template."""
        return int(np.argmax(self.content)) if self.content.any() else 0

    @cached_property
    def value(self) -> float:
        """f of the whole prompt."""
        with torch.no_grad():
            return float(self.of(self.embeddings[None]).item())

    @cached_property
    def prefix(self) -> Prefix:
        """Keys and values of the whole prompt."""
        return self._prefix(len(self.units))

    @cached_property
    def opening(self) -> Any:
        """A cache of the tokens before the content, None where there are none; no more than those is run."""
        if self.first == 0 or not self.lm.shares_prefix:
            return None
        return (self.__dict__.get("prefix") or self._prefix(self.first)).cut(self.first)

    def _prefix(self, length: int) -> Prefix:
        with torch.no_grad():
            return Prefix(self.lm.cache(self.embeddings[None, :length]))

    def of(self, embeddings: torch.Tensor, past: Any = None) -> torch.Tensor:
        """f (rows,) of embeddings (rows, tokens, width) behind `past`, differentiable."""
        lengths = torch.full((len(embeddings),), embeddings.shape[1])
        return self._of(embeddings, lengths, past)

    def slopes(self, embeddings: torch.Tensor, past: Any = None) -> tuple[torch.Tensor, torch.Tensor]:
        """f (rows,) and its gradient at embeddings (rows, tokens, width). Raises UnsupportedModel."""
        self.lm.check_gradient()
        rows = embeddings.detach().requires_grad_(True)
        with torch.enable_grad():
            values = self.of(rows, past)
            (gradient,) = torch.autograd.grad(values.sum(), rows)
        return values.detach(), gradient

    def _of(self, embeddings: torch.Tensor, lengths: torch.Tensor, past: Any) -> torch.Tensor:
        """f of rows of different lengths, padded on the right."""
        total = torch.zeros(len(embeddings), dtype=embeddings.dtype, device=embeddings.device)
        for term in self.terms:
            total = total + term.sign * term.read(self.lm.ends(embeddings, lengths, term.suffix, past))
        return total

    def reading_row(self, length: int) -> torch.Tensor:
        """(length,) weights of the positions whose states are read in a run of `length` tokens; they sum to 1."""
        row = torch.zeros(length)
        row[len(self.units) - 1 :] = 1 / (length - len(self.units) + 1)
        return row.to(self.embeddings)

    def masked(self, units: Sequence[Unit] | None = None) -> Value:
        """f as a function of masks (masks, units): True keeps a unit, False deletes its tokens.

        `units` are by default the words of the content. Tokens of no unit are always kept.
        """
        tokens = groups(self.units, self.prompt.words if units is None else units)

        def value(masks: Masks) -> Floats:
            wanted = np.atleast_2d(np.asarray(masks, dtype=bool))
            if wanted.shape[1] != len(tokens):
                raise BadOption(f"a mask over {wanted.shape[1]} units. Expected one for each of {len(tokens)}.")
            kept = np.ones((len(wanted), len(self.units)), dtype=bool)
            for unit, members in enumerate(tokens):
                kept[:, members] = wanted[:, [unit]]
            return self.kept(kept)

        return value

    def kept(self, kept: Masks) -> Floats:
        """f (masks,) when only the tokens marked in `kept` (masks, tokens) are read, others deleted.

        The prefix before the first deleted token is not run again; rows with long common prefixes share a pass.
        """
        distinct, back = np.unique(kept, axis=0, return_inverse=True)
        if not distinct.any(axis=1).all():
            raise BadOption("a mask that deletes every token leaves the model nothing to read. Keep the template.")
        lengths = distinct.sum(axis=1)
        same = np.logical_and.accumulate(distinct, axis=1).sum(axis=1)
        same = np.minimum(same, lengths - 1)  # a row's last token is always run: its state is what is read
        same = same if self.lm.shares_prefix else np.zeros_like(same)
        longest = max(len(term.suffix) for term in self.terms)
        values = np.empty(len(distinct))

        def run(rows: Sequence[int]) -> None:
            values[rows] = self._deleted(distinct[rows], int(same[rows].min()))

        with torch.no_grad():
            for rows in passes(same, lengths + longest, self.lm.forward_size):
                ran = lengths - same[rows].min() + longest
                self.lm.forward_size.run(rows.tolist(), ran.__getitem__, run)
        return np.asarray(values[back.ravel()])

    def _deleted(self, kept: Masks, shared: int) -> Floats:
        """f (rows,) of rows of masks that all keep the first `shared` tokens, and one behind them."""
        shares = self.lm.shares_prefix and self.lm.forward_size.shares(shared, int(kept.sum(axis=1).max()))
        if not shares:
            shared = 0
        lengths = kept[:, shared:].sum(axis=1)
        places = (
            np.argsort(~kept[:, shared:], axis=1, kind="stable")[:, : lengths.max()] + shared
        )  # the kept ones first
        embeddings = self.embeddings[torch.from_numpy(places).to(self.embeddings.device)]
        values = self._of(embeddings, torch.from_numpy(lengths), self.prefix.cut(shared) if shared else None)
        return np.asarray(values.double().cpu().numpy())

    def attribution(
        self,
        method: str,
        scores: torch.Tensor | Floats,
        *,
        value: float | None = None,
        delta: float | None = None,
        **parameters: object,
    ) -> Attribution:
        """Scores (tokens,) of a method as an `Attribution`; `value` is f where the method has computed it."""
        numbers = scores.detach().double().cpu().numpy() if isinstance(scores, torch.Tensor) else scores
        return Attribution(
            method=method,
            parameters={"model": self.lm.name, "dtype": self.lm.dtype, **parameters},
            prompt=self.prompt,
            units=self.units,
            scores=np.asarray(numbers, dtype=np.float64),
            target=self.name,
            value=self.value if value is None else value,
            delta=delta,
        )
