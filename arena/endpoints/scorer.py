"""Weighs continuations with a transformers model: what shares its beginning is read together (see `packing`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from arena.endpoints.encoding import Weights
from arena.endpoints.key_value_cache import cache_argument, cut, keeps_positions, sliding_window
from arena.endpoints.prefix_groups import Question, groups, row

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VOCABULARY_ROWS = 512  # logits turned into log-probabilities at once: 100 MB for 50 000 tokens
MASKS = ("sdpa", "eager")  # attention that takes a mask of its own

Tell = Callable[[Question, list[Weights]], None]


class Scorer:
    """Weighs continuations with `network`. Not thread-safe."""

    def __init__(self, network: PreTrainedModel, *, share: bool = True) -> None:
        self._network = network
        self._cache_argument = cache_argument(network)
        masks = getattr(network.config, "_attn_implementation", None) in MASKS
        self._packs = share and masks and keeps_positions(network)
        self._window = sliding_window(network)

    def weigh(
        self,
        questions: Sequence[Question],
        tell: Tell,
    ) -> None:
        """`tell` hears the weights of a question's continuations as soon as they are known."""
        packed = [question for question in questions if self._fits(question)]
        for group in groups(packed):
            cache = self._read(group.beginning) if group.shared else None
            for pack in group.packs:
                self._pack(pack, group.shared, cache, tell)
                if cache is not None:
                    cut(cache, group.shared)
        for question in questions:
            if not self._fits(question):
                self._plain(question, tell)

    def _fits(self, question: Question) -> bool:
        """Whether it may share a row: a mask of ours would not make the window slide."""
        longest = len(question.context) + max(map(len, question.continuations), default=0)
        return self._packs and (self._window is None or longest <= self._window)

    def _read(self, tokens: Sequence[int]) -> DynamicCache:
        cache = DynamicCache()
        self._network(
            input_ids=self._tensor([tokens]), use_cache=True, logits_to_keep=1, **{self._cache_argument: cache}
        )
        return cache

    def _pack(
        self,
        pack: Sequence[Question],
        shared: int,
        cache: DynamicCache | None,
        tell: Tell,
    ) -> None:
        laid = row(pack, shared)
        dtype = self._network.dtype
        sees = torch.from_numpy(laid.sees).to(self._network.device)
        mask = torch.zeros(sees.shape, dtype=dtype, device=sees.device)
        mask.masked_fill_(~sees, torch.finfo(dtype).min)
        places = sorted({place for paths in laid.reads for path in paths for place in path})
        out = self._network(
            input_ids=self._tensor([laid.tokens.tolist()]),
            attention_mask=mask[None, None],
            position_ids=self._tensor([laid.positions.tolist()]),
            use_cache=cache is not None,
            logits_to_keep=self._tensor(places),
            **{self._cache_argument: cache},
        )
        logprobs = _logprobs(out.logits[0])
        at = {place: number for number, place in enumerate(places)}
        for question, paths in zip(pack, laid.reads, strict=True):
            weights = [
                _weights(logprobs, [at[place] for place in path], tokens)
                for path, tokens in zip(paths, question.continuations, strict=True)
            ]
            tell(question, weights)

    def _plain(self, question: Question, tell: Tell) -> None:
        """One pass for each continuation, nothing shared."""
        first = len(question.context) - 1
        weights = []
        for tokens in question.continuations:
            read = [*question.context, *tokens[:-1]]
            logits = self._network(input_ids=self._tensor([read]), use_cache=False).logits[0, first:]
            weights.append(_weights(_logprobs(logits), range(len(tokens)), tokens))
        tell(question, weights)

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.tensor(values, device=self._network.device)


def _logprobs(logits: torch.Tensor) -> torch.Tensor:
    """Log-probabilities in float32, in pieces, so that no second copy of everything is made."""
    pieces = [torch.log_softmax(piece.float(), -1) for piece in logits.split(VOCABULARY_ROWS)]
    return torch.cat(pieces) if len(pieces) > 1 else pieces[0]


def _weights(logprobs: torch.Tensor, places: Iterable[int], tokens: Sequence[int]) -> Weights:
    rows = logprobs[list(places)]
    chosen = torch.tensor(tokens, device=rows.device)
    found = rows.gather(1, chosen[:, None])
    return tuple(found.double().flatten().tolist()), bool((rows.argmax(-1) == chosen).all())
