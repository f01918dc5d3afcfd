"""Log-likelihoods of continuations under a transformers model; shared prefixes are read once (`prefix_groups`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from arena.endpoints.encoding import LogLikelihood
from arena.endpoints.key_value_cache import cache_argument, cut, keeps_positions, sliding_window
from arena.endpoints.prefix_groups import Query, groups, row

if TYPE_CHECKING:
    from transformers import PreTrainedModel

VOCABULARY_ROWS = 512  # logits turned into log-probabilities at once: 100 MB for 50 000 tokens
MASKS = ("sdpa", "eager")  # attention that takes a mask of its own

Deliver = Callable[[Query, list[LogLikelihood]], None]


class Scorer:
    """Computes log-likelihoods with `network`. Not thread-safe."""

    def __init__(self, network: PreTrainedModel, *, share: bool = True) -> None:
        self._network = network
        self._cache_argument = cache_argument(network)
        masks = getattr(network.config, "_attn_implementation", None) in MASKS
        self._packs = share and masks and keeps_positions(network)
        self._window = sliding_window(network)

    def score(self, queries: Sequence[Query], deliver: Deliver) -> None:
        """Call `deliver` with each query and the log-likelihoods of its continuations, in any order."""
        packed = [query for query in queries if self._fits(query)]
        for group in groups(packed):
            cache = self._read(group.beginning) if group.shared else None
            for pack in group.packs:
                self._score_pack(pack, group.shared, cache, deliver)
                if cache is not None:
                    cut(cache, group.shared)
        for query in queries:
            if not self._fits(query):
                self._score_alone(query, deliver)

    def _fits(self, query: Query) -> bool:
        """True if the query may share a row: its own mask would not make a sliding window slide."""
        longest = len(query.context) + max(map(len, query.continuations), default=0)
        return self._packs and (self._window is None or longest <= self._window)

    def _read(self, tokens: Sequence[int]) -> DynamicCache:
        cache = DynamicCache()
        self._network(
            input_ids=self._tensor([tokens]), use_cache=True, logits_to_keep=1, **{self._cache_argument: cache}
        )
        return cache

    def _score_pack(
        self, pack: Sequence[Query], shared: int, cache: DynamicCache | None, deliver: Deliver
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
        for query, paths in zip(pack, laid.reads, strict=True):
            results = [
                _log_likelihood(logprobs, [at[place] for place in path], tokens)
                for path, tokens in zip(paths, query.continuations, strict=True)
            ]
            deliver(query, results)

    def _score_alone(self, query: Query, deliver: Deliver) -> None:
        """One pass for each continuation, nothing shared."""
        first = len(query.context) - 1
        results = []
        for tokens in query.continuations:
            read = [*query.context, *tokens[:-1]]
            logits = self._network(input_ids=self._tensor([read]), use_cache=False).logits[0, first:]
            results.append(_log_likelihood(_logprobs(logits), range(len(tokens)), tokens))
        deliver(query, results)

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.tensor(values, device=self._network.device)


def _logprobs(logits: torch.Tensor) -> torch.Tensor:
    """Log-probabilities in float32, in pieces, so that no second copy of everything is made."""
    pieces = [torch.log_softmax(piece.float(), -1) for piece in logits.split(VOCABULARY_ROWS)]
    return torch.cat(pieces) if len(pieces) > 1 else pieces[0]


def _log_likelihood(logprobs: torch.Tensor, places: Iterable[int], tokens: Sequence[int]) -> LogLikelihood:
    rows = logprobs[list(places)]
    chosen = torch.tensor(tokens, device=rows.device)
    values = rows.gather(1, chosen[:, None])
    return tuple(values.double().flatten().tolist()), bool((rows.argmax(-1) == chosen).all())
