"""Log-probabilities of given texts under a transformers model, in a thread: requests that wait together are read
together.
"""

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

from arena.endpoints.encoding import Pair, Tokens, Weights, parts, told
from arena.endpoints.endpoint import EndpointError, Failure, Reply, Request
from arena.endpoints.prefix_groups import Question
from arena.endpoints.scorer import Scorer
from arena.endpoints.startup import CrashCount

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from arena.endpoints.generation_plan import Planner

WINDOW = 4096  # requests read together at most
GATHER = 0.02  # seconds to wait for more requests, where one has come

CLOSED = EndpointError(Failure.BROKEN, "the endpoint was closed")

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """One request as pairs to weigh; `future` gets the reply when the last of `parts` is known."""

    request: Request
    future: Future[Reply]
    parts: list[Pair]
    known: dict[int, Weights] = field(default_factory=dict)


class Weigher:
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
        self._thread = threading.Thread(target=self._run, name="arena-weigher", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> Future[Reply]:
        """The reply to `{"context", "continuation"}` or `{"text"}`."""
        if self._closing.is_set():
            raise CLOSED
        future: Future[Reply] = Future()
        self._inbox.put((request, future))
        return future

    def close(self) -> None:
        """End the thread after what it is doing; what waits fails. Idempotent."""
        self._closing.set()
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        torch.set_num_threads(self._threads)  # a property of the calling thread
        with torch.inference_mode():
            while waiting := self._gather():
                jobs = [job for request, future in waiting if (job := self._job(request, future)) is not None]
                try:
                    self._weigh(jobs)
                    self._crashes.reset()
                except EndpointError as error:
                    _fail([job.future for job in jobs], error)
                # Whoever waits must hear of it, whatever it is: nobody else can tell them.
                except Exception as cause:
                    logger.error("weighing texts failed", exc_info=cause)
                    failure = self._crashes.failure(f"weighing texts failed: {cause!r}")
                    _fail([job.future for job in jobs], failure)
        while not self._inbox.empty():
            if (one := self._inbox.get()) is not None:
                _fail([one[1]], CLOSED)

    def _gather(self) -> list[tuple[Request, Future[Reply]]]:
        """Everything that waits, at least one request; nothing when told to close."""
        waiting: list[tuple[Request, Future[Reply]]] = []
        while len(waiting) < WINDOW:
            try:
                one = self._inbox.get(timeout=GATHER) if waiting else self._inbox.get()
            except queue.Empty:
                break
            if one is not None and not one[1].cancelled():
                waiting.append(one)
            if self._closing.is_set():
                _fail([future for _, future in waiting], CLOSED)
                return []
        return waiting

    def _job(self, request: Request, future: Future[Reply]) -> Job | None:
        try:
            return Job(request, future, parts(self._tokenizer, request, self._context))
        except EndpointError as error:
            future.set_exception(error)
            return None

    def _weigh(self, jobs: Sequence[Job]) -> None:
        """Questions of all jobs together; those with the same context are one question."""
        questions: dict[Tokens, Question] = {}
        owners: dict[Tokens, list[tuple[Job, int]]] = {}  # by context, one for each continuation
        for job in jobs:
            for number, (context, continuation) in enumerate(job.parts):
                questions.setdefault(context, Question(context)).continuations.append(continuation)
                owners.setdefault(context, []).append((job, number))

        def tell(question: Question, weights: list[Weights]) -> None:
            if self._closing.is_set():
                raise CLOSED
            for (job, number), known in zip(owners[question.context], weights, strict=True):
                job.known[number] = known
                if len(job.known) == len(job.parts) and not job.future.done():
                    in_order = [job.known[place] for place in range(len(job.parts))]
                    job.future.set_result(told(job.request, in_order, job.parts))

        self._scorer.weigh(list(questions.values()), tell)


def _fail(futures: Sequence[Future[Reply]], why: EndpointError) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(why)
