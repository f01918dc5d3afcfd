"""Continuous batching: several completions of one model, one forward pass for all of them.

Rows of unequal length share a batch by padding on the left. A new prompt is read in chunks between the steps
of the others, then its row joins; a finished or cancelled row leaves. Why this is not the batching of
transformers: docs/decisions/transformers-batching.md.
"""

from __future__ import annotations

import inspect
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache, PreTrainedModel

from arena.endpoints.endpoint import EndpointError, Failure, Finish, Request, Usage
from arena.endpoints.generation_plan import Plan
from arena.endpoints.key_value_cache import cache_argument, keeps_positions

CHUNK = 128  # prompt tokens read at once: about 0.6 s on one CPU thread, the longest the others wait

logger = logging.getLogger(__name__)

Send = Callable[[str | Finish | EndpointError], None]


@dataclass(eq=False)
class Row:
    """One request from its arrival to its end. Setting `cancelled`, from any thread, takes it out."""

    request: Request
    send: Send
    cancelled: bool = False
    tokens: list[int] = field(default_factory=list)  # prompt and completion
    logprobs: list[dict[str, Any]] = field(default_factory=list)  # of each token written, if requested

    def accept(self, plan: Plan, logits: torch.Tensor) -> bool:
        """Choose a token from `logits`, shape (vocabulary,), send its text; False when it was the last."""
        try:
            token = plan.choose(logits, self.tokens)
        except EndpointError as error:
            self.send(error)
            return False
        self.tokens.append(token)
        if plan.alternatives is not None:
            self.logprobs.append(plan.alternatives(logits, token))
        reason, text = None, ""
        if token in plan.ends:
            reason = "stop"
        else:
            text = plan.deltas.push(token)
            reason = "stop" if plan.deltas.stopped else self._length(plan)
        if reason:
            text += plan.deltas.rest()
        if text:
            self.send(text)
        if reason:
            self.send(Finish(reason, self._usage(plan)))
        return reason is None

    def _length(self, plan: Plan) -> str | None:
        return "length" if len(self.tokens) - len(plan.prompt) >= plan.limit else None

    def _usage(self, plan: Plan) -> Usage:
        return Usage(len(plan.prompt), len(self.tokens) - len(plan.prompt))


class Model:
    """A causal language model as the batch sees it: tokens in, logits of the last position out."""

    def __init__(self, network: PreTrainedModel) -> None:
        self._network = network
        takes = inspect.signature(network.forward).parameters
        self._cache_argument = cache_argument(network)
        self._takes_positions = "position_ids" in takes
        self._keep = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        # Attention alone can be padded on the left and cut. A recurrent state would read the padding.
        self.joins = keeps_positions(network)

    def empty_cache(self) -> DynamicCache:
        """For rows that join, every layer keeps all positions and the mask alone makes the window slide."""
        return DynamicCache() if self.joins else DynamicCache(config=self._network.config)

    def logits(self, tokens: list[list[int]], mask: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
        """Logits, shape (rows, vocabulary), after `tokens` (rows × new); `mask` covers old ones and new."""
        ids = torch.tensor(tokens, device=self._network.device)
        mask = mask.to(self._network.device)
        options: dict[str, Any] = {self._cache_argument: cache, **self._keep}
        if self._takes_positions:
            options["position_ids"] = mask.cumsum(-1)[:, -ids.shape[1] :] - 1
        out = self._network(
            input_ids=ids,
            attention_mask=mask,
            use_cache=True,
            return_dict=True,
            **options,
        )
        last: torch.Tensor = out.logits[:, -1]
        return last


class Batch:
    """Rows that take their steps together, with their keys and values."""

    def __init__(self, model: Model, row: Row, plan: Plan) -> None:
        self._model = model
        self.rows = [(row, plan)]
        self._cache = model.empty_cache()
        self._mask = torch.ones((1, 0), dtype=torch.long)  # rows × positions, 0 is padding

    @property
    def read(self) -> int:
        """How many positions are in the cache."""
        return int(self._mask.shape[1])

    def step(self, tokens: list[list[int]]) -> torch.Tensor:
        """Read `tokens`, the same number for every row; logits of shape (rows, vocabulary)."""
        self._mask = pad(self._mask, (0, len(tokens[0])), value=1)
        return self._model.logits(tokens, self._mask, self._cache)

    def write(self) -> None:
        """One token more for every row."""
        logits = self.step([row.tokens[-1:] for row, _ in self.rows])
        self.keep([row.accept(plan, logits[at]) for at, (row, plan) in enumerate(self.rows)])

    def keep(self, stays: Sequence[bool]) -> None:
        """Drop the rows that do not stay, and the padding that only they needed."""
        if all(stays):
            return
        kept = [at for at, stay in enumerate(stays) if stay]
        self.rows = [self.rows[at] for at in kept]
        if not kept:
            return
        self._mask = self._mask[kept]
        padding = int((self._mask.sum(0) == 0).sum())  # all of it on the left
        self._mask = self._mask[:, padding:]
        self._change(lambda entry: entry[kept][:, :, padding:])

    def join(self, other: Batch) -> None:
        """Take over the rows of `other`."""
        width = max(self.read, other.read)
        self._widen(width)
        other._widen(width)
        for mine, theirs in zip(self._layers(), other._layers(), strict=True):
            mine.keys = torch.cat([mine.keys, theirs.keys])
            mine.values = torch.cat([mine.values, theirs.values])
        self._mask = torch.cat([self._mask, other._mask])
        self.rows += other.rows

    def _widen(self, width: int) -> None:
        missing = width - self.read
        self._mask = pad(self._mask, (missing, 0))
        self._change(lambda entry: pad(entry, (0, 0, missing, 0)))

    def _change(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Apply `change` to keys and values, each of shape (rows, heads, positions, head size)."""
        for layer in self._layers():
            layer.keys, layer.values = change(layer.keys), change(layer.values)

    def _layers(self) -> list[Any]:
        # A layer that borrows the keys of another one stays empty.
        return [layer for layer in self._cache.layers if layer.is_initialized]


class Batcher:
    """A thread that owns `network` and serves rows until it is closed or breaks.

    `plan` reads a request and raises `EndpointError` where it cannot be served. It is called in the thread,
    so that tokenizers, which are not safe to share, are used by one thread alone.
    """

    def __init__(
        self, network: PreTrainedModel, plan: Callable[[Request], Plan], max_batch: int, threads: int
    ) -> None:
        self._model = Model(network)
        self._plan = plan
        self._max_batch = max_batch
        self._threads = threads
        self._inbox: queue.SimpleQueue[Row | None] = queue.SimpleQueue()
        self._waiting: deque[Row] = deque()
        self._filling: Batch | None = None  # one row whose prompt is being read
        self._batches: list[Batch] = []  # one where rows join, else one for each row
        self._lock = threading.Lock()
        self._ended: EndpointError | None = None
        self._thread = threading.Thread(target=self._run, name="arena-transformers", daemon=True)

    @property
    def ended(self) -> EndpointError | None:
        """Why no further row is served, once the thread is closed or broken."""
        return self._ended

    def start(self) -> None:
        self._thread.start()

    def submit(self, row: Row) -> None:
        """Queue a row. Raises `EndpointError` when the thread has ended."""
        with self._lock:  # else a row could slip in behind the last look at the inbox and wait forever
            if self._ended:
                raise self._ended
            self._inbox.put(row)

    def close(self) -> None:
        """End the thread, after the step it is in. Blocks; idempotent."""
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        # How many threads torch uses is a property of the calling thread, so it is set in here.
        torch.set_num_threads(self._threads)
        end = EndpointError(Failure.BROKEN, "the endpoint was closed")
        try:
            with torch.inference_mode():
                while self._admit():
                    self._read()
                    self._write()
        # Waiting rows must receive any error of the thread, for no other code can end them.
        except Exception as cause:
            logger.error("the thread of a model broke", exc_info=cause)
            end = EndpointError(Failure.BROKEN, f"the thread of the model broke: {cause!r}")
        self._end(end)

    def _admit(self) -> bool:
        """True after new rows are taken in, with sleep while there are none; False if closed."""
        while True:
            try:
                row = self._inbox.get(block=not (self._waiting or self._filling or self._batches))
            except queue.Empty:
                return True
            if row is None:
                return False
            self._waiting.append(row)

    def _read(self) -> None:
        """Read one chunk of one prompt; when it was the last, the row joins the others."""
        if self._filling is None:
            self._filling = self._next()
        batch = self._filling
        if batch is None:
            return
        row, plan = batch.rows[0]
        if row.cancelled:
            self._filling = None
            return
        logits = batch.step([plan.prompt[batch.read : batch.read + CHUNK]])
        if batch.read == len(plan.prompt):
            if row.accept(plan, logits[0]):
                self._place(batch)
            self._filling = None

    def _next(self) -> Batch | None:
        """A batch of the next row that waits, if there is room for it and it can be served."""
        if not self._waiting or sum(len(batch.rows) for batch in self._batches) >= self._max_batch:
            return None
        row = self._waiting[0]
        batch = None if row.cancelled else self._open(row)
        self._waiting.popleft()  # only now: a row outside all lists would miss a crash
        return batch

    def _open(self, row: Row) -> Batch | None:
        try:
            plan = self._plan(row.request)
        except EndpointError as error:
            row.send(error)
            return None
        row.tokens = list(plan.prompt)
        return Batch(self._model, row, plan)

    def _place(self, batch: Batch) -> None:
        if self._model.joins and self._batches:
            self._batches[0].join(batch)
        else:
            self._batches.append(batch)

    def _write(self) -> None:
        """One token for every row that is still wanted."""
        for batch in self._batches:
            batch.keep([not row.cancelled for row, _ in batch.rows])
            if batch.rows:
                batch.write()
        self._batches = [batch for batch in self._batches if batch.rows]

    def _end(self, error: EndpointError) -> None:
        """Fail every row that is still here, and let go of the model."""
        with self._lock:
            self._ended = error
        batches = [*self._batches, *([self._filling] if self._filling else [])]
        rows = [row for batch in batches for row, _ in batch.rows] + list(self._waiting)
        while not self._inbox.empty():
            rows += [row for row in [self._inbox.get()] if row]
        for row in rows:
            row.send(error)
        del self._model
        self._batches, self._filling = [], None
        self._waiting.clear()
