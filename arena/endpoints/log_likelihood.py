"""A thread that scores given texts under a transformers model; requests that wait share forward passes."""

from __future__ import annotations

import copy
import logging
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from arena.endpoints.encoding import (
    Encoded,
    LogLikelihood,
    Pair,
    Tokenizer,
    Tokens,
    log_likelihood_reply,
    token_pairs,
)
from arena.endpoints.endpoint import EndpointError, Failure, Reply, Request
from arena.endpoints.prefix_groups import Query
from arena.endpoints.scorer import Scorer
from arena.endpoints.startup import CrashCount

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from arena.endpoints.generation_plan import Planner

WINDOW = 4096  # the most requests scored together
LINGER = 0.02  # seconds that a batch waits for more requests

CLOSED = EndpointError(Failure.BROKEN, "the endpoint was closed")

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """One request as token pairs; `future` gets the reply once every pair has a result."""

    request: Request
    future: Future[Reply]
    pairs: list[Pair]
    results: dict[int, LogLikelihood] = field(default_factory=dict)

    def add(self, number: int, result: LogLikelihood) -> None:
        self.results[number] = result
        if len(self.results) == len(self.pairs) and not self.future.done():
            in_order = [self.results[place] for place in range(len(self.pairs))]
            self.future.set_result(log_likelihood_reply(self.request, in_order, self.pairs))


class LogLikelihoodWorker:
    """A thread that serves log-likelihood requests until it is closed."""

    def __init__(self, network: PreTrainedModel, planner: Planner, threads: int) -> None:
        self._scorer = Scorer(network)
        # A tokenizer is not safe to share, and the thread that writes completions has this one.
        self._tokenizer = copy.deepcopy(planner.tokenizer)
        self._context = planner.context
        self._threads = threads
        self._crashes = CrashCount()
        self._closing = threading.Event()
        self._inbox: queue.SimpleQueue[tuple[Request, Future[Reply]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="arena-log-likelihood", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> Future[Reply]:
        """The reply to `{"context", "continuation"}` or `{"text"}`."""
        if self._closing.is_set():
            raise CLOSED
        future: Future[Reply] = Future()
        self._inbox.put((request, future))
        return future

    def close(self) -> None:
        """End the thread after its current batch and fail the waiting requests. Idempotent."""
        self._closing.set()
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        torch.set_num_threads(self._threads)  # a property of the calling thread
        with torch.inference_mode():
            while waiting := self._next_batch():
                jobs = self._jobs(waiting)
                try:
                    self._score(jobs)
                    self._crashes.reset()
                except EndpointError as error:
                    _fail([job.future for job in jobs], error)
                # Any error must reach the waiting requests: nothing else reports it.
                except Exception as cause:
                    logger.error("computing log-likelihoods failed", exc_info=cause)
                    failure = self._crashes.failure(f"computing log-likelihoods failed: {cause!r}")
                    _fail([job.future for job in jobs], failure)
        while not self._inbox.empty():
            if (item := self._inbox.get()) is not None:
                _fail([item[1]], CLOSED)

    def _next_batch(self) -> list[tuple[Request, Future[Reply]]]:
        """All waiting requests, at least one; an empty list once the worker is closed."""
        waiting: list[tuple[Request, Future[Reply]]] = []
        while len(waiting) < WINDOW:
            try:
                item = self._inbox.get(timeout=LINGER) if waiting else self._inbox.get()
            except queue.Empty:
                break
            if item is not None and not item[1].cancelled():
                waiting.append(item)
            if self._closing.is_set():
                _fail([future for _, future in waiting], CLOSED)
                return []
        return waiting

    def _jobs(self, waiting: Sequence[tuple[Request, Future[Reply]]]) -> list[Job]:
        try:
            tokenizer: Tokenizer = Encoded(self._tokenizer, [request for request, _ in waiting])
        # A text that cannot be encoded fails alone, one by one.
        except Exception as cause:
            logger.error("texts cannot be encoded together", exc_info=cause)
            tokenizer = self._tokenizer
        return [job for request, future in waiting if (job := self._job(tokenizer, request, future)) is not None]

    def _job(self, tokenizer: Tokenizer, request: Request, future: Future[Reply]) -> Job | None:
        try:
            return Job(request, future, token_pairs(tokenizer, request, self._context))
        except EndpointError as error:
            _fail([future], error)
        # A malformed request must not break the thread that serves the others.
        except Exception as cause:
            logger.error("a log-likelihood request cannot be read", exc_info=cause)
            _fail([future], EndpointError(Failure.REFUSED, f"The request cannot be read ({cause!r}). Change it."))
        return None

    def _score(self, jobs: Sequence[Job]) -> None:
        """Score the queries of all jobs together; pairs with the same context form one query."""
        queries: dict[Tokens, Query] = {}
        owners: dict[Tokens, list[tuple[Job, int]]] = {}  # by context, one for each continuation
        for job in jobs:
            for number, (context, continuation) in enumerate(job.pairs):
                queries.setdefault(context, Query(context)).continuations.append(continuation)
                owners.setdefault(context, []).append((job, number))

        def deliver(query: Query, results: list[LogLikelihood]) -> None:
            if self._closing.is_set():
                raise CLOSED
            for (job, number), result in zip(owners[query.context], results, strict=True):
                job.add(number, result)

        self._scorer.score(list(queries.values()), deliver)


def _fail(futures: Sequence[Future[Reply]], why: EndpointError) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(why)
