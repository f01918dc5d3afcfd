"""Continuous batching: several completions of one model, one forward pass for all of them.

Rows of unequal length share a batch by padding on the left. New prompts are read in chunks between the steps
of the others, then their rows join; a finished or cancelled row leaves. Without memory for all rows, their tokens
are kept, half of the rows go on, and the others are read again later. Why this is not the batching of transformers:
docs/decisions/transformers-batching.md.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable

import torch
from transformers import PreTrainedModel

from arena.endpoints.batch_model import Model
from arena.endpoints.device_memory import out_of_memory, pass_limits, release
from arena.endpoints.endpoint import EndpointError, Failure, Request
from arena.endpoints.generation_plan import Plan
from arena.endpoints.row_batch import Batch, Row

logger = logging.getLogger(__name__)


class Batcher:
    """A thread that owns `network` and serves rows until it is closed or breaks.

    `plan` reads a request and raises `EndpointError` where it cannot be served. It is called in the thread,
    so that tokenizers, which are not safe to share, are used by one thread alone.
    """

    def __init__(
        self, network: PreTrainedModel, plan: Callable[[Request], Plan], max_batch: int | None, threads: int
    ) -> None:
        self._model = Model(network)
        self._plan = plan
        self._limits = pass_limits(network, max_batch)
        self._threads = threads
        self._inbox: queue.SimpleQueue[Row | None] = queue.SimpleQueue()
        self._waiting: deque[Row] = deque()
        self._filling: Batch | None = None  # rows whose prompts are being read
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
                    if not (self._completes(self._read) and self._completes(self._write)):
                        self._restart_with_fewer_rows()
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

    def _completes(self, work: Callable[[], None]) -> bool:
        """False if memory ran out. The error is gone when this returns, and with it what its traceback holds."""
        try:
            work()
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            return False
        return True

    def _restart_with_fewer_rows(self) -> None:
        """Put all rows back in front of those that wait. A row that alone is too large fails."""
        batches = [*self._batches, *([self._filling] if self._filling else [])]
        rows = [row for batch in batches for row in batch.rows if not row.cancelled]
        self._batches, self._filling = [], None
        del batches
        if self._model.rooms is not None:
            self._model.rooms.forget()
        release()
        if len(rows) == 1 and self._limits.tokens == 1:
            detail = f"{len(rows[0].tokens)} tokens do not fit into memory. Shorten the prompt or max_tokens."
            rows.pop().send(EndpointError(Failure.BROKEN, detail))
        self._limits.halve(len(rows))
        logger.warning("out of memory: at most %s completions at once from now on", self._limits.rows)
        self._waiting.extendleft(reversed(rows))

    def _read(self) -> None:
        """Read one chunk of new prompts; when it was the last, their rows join the others."""
        if self._filling is None:
            self._filling = self._next()
        batch = self._filling
        if batch is None:
            return
        if all(row.cancelled for row in batch.rows):
            self._filling = None
        elif batch.read(self._limits.tokens):
            if batch.rows:
                self._place(batch)
            self._filling = None

    def _next(self) -> Batch | None:
        """A batch of the next rows that wait, as many as have room and can be served."""
        room = self._limits.rows - sum(len(batch.rows) for batch in self._batches)
        rows: list[Row] = []
        seen = longest = 0
        while seen < len(self._waiting) and len(rows) < (room if self._model.joins else min(room, 1)):
            row = self._waiting[seen]
            if self._ready(row):
                longest = max(longest, len(row.tokens))
                if rows and (len(rows) + 1) * longest > self._limits.tokens:
                    break
                rows.append(row)
            seen += 1
        batch = Batch(self._model, rows) if rows else None
        for _ in range(seen):
            self._waiting.popleft()  # only now: a row outside all lists would miss a crash
        return batch

    def _ready(self, row: Row) -> bool:
        if row.cancelled:
            return False
        try:
            row.prepare(self._plan)
        except EndpointError as error:
            row.send(error)
            return False
        return True

    def _place(self, batch: Batch) -> None:
        if self._model.joins and self._batches:
            self._batches[0].join(batch)
        else:
            self._batches.append(batch)

    def _write(self) -> None:
        """One token for every row that is still wanted."""
        for batch in self._batches:
            batch.keep([not row.cancelled for row in batch.rows])
            if batch.rows:
                batch.write()
        self._batches = [batch for batch in self._batches if batch.rows]

    def _end(self, error: EndpointError) -> None:
        """Fail every row that is still here, and let go of the model."""
        with self._lock:
            self._ended = error
        batches = [*self._batches, *([self._filling] if self._filling else [])]
        rows = [row for batch in batches for row in batch.rows] + list(self._waiting)
        while not self._inbox.empty():
            rows += [row for row in [self._inbox.get()] if row]
        for row in rows:
            row.send(error)
        del self._model
        self._batches, self._filling = [], None
        self._waiting.clear()
