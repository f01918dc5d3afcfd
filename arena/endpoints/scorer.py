"""Log-likelihoods of continuations under a transformers model; shared prefixes are read once (`prefix_groups`)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from arena.endpoints.device_memory import attention_without_plans
from arena.endpoints.encoding import LogLikelihood
from arena.endpoints.first_run import FOREIGN_CACHE, probe, same
from arena.endpoints.key_value_cache import cache_argument, cut, keeps_positions, masks_itself, sliding_window
from arena.endpoints.prefix_groups import LEAST_SHARED, ROW, ROW_ON_GPU, Group, Query, groups, packs, padded, row

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PADDED_ON_GPU = 8192  # tokens of a pass with padding
VOCABULARY_ROWS = 512  # rows of logits in float32 at once: 100 MB for 50 000 tokens
MASKS = ("sdpa", "eager")  # attention that takes a mask of its own

logger = logging.getLogger(__name__)

Deliver = Callable[[Query, list[LogLikelihood]], None]


class Scorer:
    """Computes log-likelihoods with `network`. Not thread-safe."""

    def __init__(self, network: PreTrainedModel, *, share: bool = True) -> None:
        attention_without_plans()
        self._network = network
        self._cache_argument = cache_argument(network)
        masks = getattr(network.config, "_attn_implementation", None) in MASKS
        self._window = sliding_window(network)
        on_cpu = network.device.type == "cpu"
        self._row = ROW if on_cpu else ROW_ON_GPU
        self._padded = 0 if on_cpu else PADDED_ON_GPU
        self._packs = share and masks and keeps_positions(network) and not masks_itself(network)
        self._checked = not self._packs

    def score(self, queries: Sequence[Query], deliver: Deliver) -> None:
        """Call `deliver` with each query and the log-likelihoods of its continuations, in any order."""
        if (
            not self._checked
        ):  # here and not at the start, for it takes a pass: the caller's thread may wait for it
            self._packs, self._checked = self._packed_as_alone(), True
        packed = [query for query in queries if self._fits(query)]
        for group in groups(packed, self._row):
            if not group.shared and self._padded:
                group = self._score_padded(group, deliver)
            cache = self._read(group.beginning) if group.shared else None
            for pack in group.packs:
                self._score_pack(pack, group.shared, cache, deliver)
                if cache is not None:
                    cut(cache, group.shared)
        for query in queries:
            if not self._fits(query):
                self._score_alone(query, deliver)

    def _packed_as_alone(self) -> bool:
        """True if a few texts in one row get the log-likelihoods that each gets alone.

        Attention that is biased by the place in a row, as ALiBi is, gives others.
        """
        tokens = tuple(probe(self._network)) * 3
        shared = LEAST_SHARED // 2
        queries = [Query(tokens, [tokens[:2], tokens[2:4]]), Query(tokens[:-1], [tokens[3:5]])]
        packed: dict[int, list[LogLikelihood]] = {}
        alone: dict[int, list[LogLikelihood]] = {}
        try:
            with torch.inference_mode():
                cache = self._read(tokens[:shared])
                self._score_pack(queries, shared, cache, lambda query, found: packed.update({id(query): found}))
        except FOREIGN_CACHE as cause:
            logger.info("%s scores every text alone: %r", type(self._network).__name__, cause)
            return False
        with torch.inference_mode():
            for query in queries:
                self._score_alone(query, lambda query, found: alone.update({id(query): found}))
        values = [
            torch.tensor([value for found in each.values() for pieces, _ in found for value in pieces]).to(
                self._network.dtype
            )
            for each in (packed, {key: alone[key] for key in packed})
        ]
        return same(*values)

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
        at = {place: number for number, place in enumerate(places)}
        read = [[at[place] for place in path] for paths in laid.reads for path in paths]
        results = _log_likelihoods(
            out.logits[0], read, [tokens for query in pack for tokens in query.continuations]
        )
        for query in pack:
            deliver(query, [next(results) for _ in query.continuations])

    def _score_padded(self, group: Group, deliver: Deliver) -> Group:
        """Score texts that share nothing in batches padded on the right, which need no mask; the rest of the group."""
        queries = [query for pack in group.packs for query in pack]
        for batch in padded([query for query in queries if len(query.continuations) == 1], self._padded):
            rows = [[*query.context, *query.continuations[0][:-1]] for query in batch]
            firsts = [len(query.context) - 1 for query in batch]
            low, high = min(firsts), max(map(len, rows))
            logits = self._network(
                input_ids=self._tensor([row + [0] * (high - len(row)) for row in rows]),
                use_cache=False,
                logits_to_keep=torch.arange(low, high, device=self._network.device),
            ).logits
            paths = [range(first - low, len(row) - low) for first, row in zip(firsts, rows, strict=True)]
            places = self._tensor([number * (high - low) + at for number, path in enumerate(paths) for at in path])
            ends = [0, *accumulate(map(len, paths))]
            read = [range(start, end) for start, end in pairwise(ends)]
            texts = [query.continuations[0] for query in batch]
            for query, result in zip(
                batch, _log_likelihoods(logits.flatten(0, 1)[places], read, texts), strict=True
            ):
                deliver(query, [result])
        rest = [query for query in queries if len(query.continuations) != 1]
        return Group(0, packs(rest, 0, self._row))

    def _score_alone(self, query: Query, deliver: Deliver) -> None:
        """One pass for each continuation, nothing shared."""
        first = len(query.context) - 1
        results: list[LogLikelihood] = []
        for tokens in query.continuations:
            read = [*query.context, *tokens[:-1]]
            logits = self._network(input_ids=self._tensor([read]), use_cache=False).logits[0, first:]
            results += _log_likelihoods(logits, [range(len(tokens))], [tokens])
        deliver(query, results)

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.tensor(values, device=self._network.device)


def _log_likelihoods(
    logits: torch.Tensor, read: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
) -> Iterator[LogLikelihood]:
    """The log-likelihood of each continuation, whose tokens are predicted by the rows `read` of `logits`.

    Only the targets' logits are gathered, and all results leave the device in one copy.
    """
    rows = torch.tensor([row for path in read for row in path], dtype=torch.long, device=logits.device)
    tokens = torch.tensor([token for path in continuations for token in path], dtype=torch.long).to(logits.device)
    sums = torch.cat([piece.float().logsumexp(-1) for piece in logits.split(VOCABULARY_ROWS)])
    values = logits[rows, tokens].float() - sums[rows]
    greedy = logits.argmax(-1)[rows] == tokens
    each = iter(zip(*torch.stack([values.double(), greedy.double()]).tolist(), strict=True))
    for path in continuations:
        results = [next(each) for _ in path]
        yield tuple(value for value, _ in results), all(best for _, best in results)
