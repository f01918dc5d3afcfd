"""Tasks: they read rows into samples, build requests about a sample, and score the replies.

A task makes no calls and opens no files. Requests and replies are plain mappings, of three kinds:

==================  ==========================================  ==========================================
kind                request                                     reply
==================  ==========================================  ==========================================
chat                body of an OpenAI chat completion           the body of the chat completion
log-likelihood      ``{"context": str, "continuation": str}``   ``{"logprob": float, "greedy": bool,
                                                                "tokens": int}``
rolling             ``{"text": str}``, ``"window": int`` for    ``{"logprob": float, "tokens": int}``
                    disjoint windows of that many tokens
==================  ==========================================  ==========================================

With ``"token_logprobs": True`` the last two replies have that list too. A missing reply is None.
Log-probabilities are natural logarithms.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
from typing import Any

RENAMED_RUNGS = "`rungs` is deprecated. Use `request_types`, and `RequestType` in place of `Rung`."

Row = Mapping[str, Any]
Request = Mapping[str, Any]
Reply = Mapping[str, Any]
Metrics = Mapping[str, float]


class RequestType(StrEnum):
    """A kind of request. A task lists those it supports, the best first; the endpoint decides which it serves."""

    LOGLIKELIHOOD = "loglikelihood"  # log-probabilities of a text, whole or after a context
    FIRST_TOKEN = "first_token"  # noqa: S105  log-probabilities of the first token of a chat completion
    GENERATE = "generate"  # the text of a chat completion


@dataclass(frozen=True)
class Source:
    """One file of a task, named as below the data folder, and where the hub has the same rows.

    `hub` is `owner/dataset` or `owner/dataset:configuration`, with `split` the split there; it is only used
    with a `revision`, so that the rows never change.
    """

    file: str
    sha256: str | None = None  # None: the user's own file
    hub: str | None = None
    revision: str | None = None
    split: str = "test"
    columns: tuple[str, ...] = ()  # that every row must have


@dataclass(frozen=True)
class Sample:
    """One question. `target` is the right choice's index, a text, or whatever its task compares with."""

    id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    target: Any = None
    subject: str = ""  # samples of one subject share few-shot examples and are reported together
    cluster: str = ""  # samples that stand or fall together (a passage, a pair); its own id if empty


class Status(StrEnum):
    SCORED = "scored"
    UNPARSED = "unparsed"  # a reply without an answer that could be parsed
    FAILED = "failed"  # no reply


@dataclass(frozen=True)
class Outcome:
    """The outcome of one sample. Only a scored one has the task's own metric; nothing is guessed for the others.

    An unparsed one may have the metrics of a published pattern, which reads something all the same.
    """

    status: Status
    metrics: Metrics = field(default_factory=dict)
    answer: str = ""  # the parsed answer, for readers
    reason: str = ""  # why there is none

    @property
    def is_scored(self) -> bool:
        return self.status is Status.SCORED


def scored(metrics: Metrics, answer: str = "") -> Outcome:
    return Outcome(Status.SCORED, metrics, answer)


def unparsed(reason: str, answer: str = "", metrics: Metrics | None = None) -> Outcome:
    return Outcome(Status.UNPARSED, metrics or {}, answer=answer, reason=reason)


def failed(reason: str = "no reply") -> Outcome:
    return Outcome(Status.FAILED, reason=reason)


Corpus = Callable[[Sequence[tuple[Sample, Metrics]]], float]


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """A benchmark. `metric` is the one that leaderboards show; `sources` are keyed by the role of their rows.

    Role `test` has the samples; `shots` the few-shot examples, where there are any; other roles hold what the
    task needs too (for example `prompts`) and are passed to `prepare`.
    """

    name: str
    dimension: str
    metric: str
    licence: str
    sources: Mapping[str, Sequence[Source]]
    description: str = ""
    request_types: Sequence[RequestType] = (RequestType.GENERATE,)
    rungs: InitVar[Sequence[RequestType] | None] = (
        None  # deprecated: `request_types`, as task files for 0.1 call it
    )
    shots: int = 0
    first_n: bool = False  # few-shot examples are the first ones, not drawn
    examples: Sequence[Row] = ()  # rows of few-shot examples in the task itself, in place of role `shots`
    one_more: bool = (
        False  # lm-evaluation-harness draws an example more than it shows, as if the sample were in the pool
    )
    definition: Mapping[str, str] = field(default_factory=dict)  # of a user's own: other values are another task
    curated: Sequence[str] = ()  # few-shot examples are those with these ids, in this order
    bounds: tuple[float, float] | None = (0.0, 1.0)  # of the metric, for samples without a score
    counted: Sequence[str] = ()  # other metrics in which an unparsed sample has the worst value, as in `metric`
    higher_is_better: bool = True
    text_scorer: int = (
        1  # version of how texts are read; runs of different versions are never compared or replaced
    )
    chance: float = 0.0  # the metric of a guess
    needs_images: bool = False  # requests have images, which the model must read
    corpus: Mapping[str, Corpus] = field(default_factory=dict)  # metrics of all samples together, by name

    def __post_init__(self, rungs: Sequence[RequestType] | None) -> None:
        if rungs is not None:
            warnings.warn(f"{self.name}: {RENAMED_RUNGS}", FutureWarning, stacklevel=4)
            object.__setattr__(self, "request_types", tuple(map(RequestType, rungs)))

    @abstractmethod
    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        """The samples in `rows`, in their order; also reads the rows of `shots`.

        A row has its columns and `_file`, `_line`: where it stands.
        """

    @abstractmethod
    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        """The requests about `sample`, with `shots` as solved examples before it."""

    @abstractmethod
    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        """The outcome of the replies, in the order of the requests."""

    def as_lm_eval(self) -> Task:
        """The task as lm-evaluation-harness has it, where the two differ in more than the few-shot examples."""
        return self

    def prepare(self, extra: Mapping[str, Sequence[Row]]) -> Task:
        """The task with the rows of its other roles; itself where it has none."""
        return self


def dimensions() -> tuple[str, ...]:
    return (
        "knowledge", "reasoning", "instruction following", "code", "safety", "values", "bias", "robustness",
        "language modelling",
    )  # fmt: skip


def __getattr__(name: str) -> Any:
    """`Rung`, which task files for 0.1 import, is `RequestType`."""
    if name == "Rung":
        warnings.warn(RENAMED_RUNGS, FutureWarning, stacklevel=2)
        return RequestType
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
