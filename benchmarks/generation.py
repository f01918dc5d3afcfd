"""Free text: a prompt with solved examples, and a function that scores the completion."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.metrics import majority
from benchmarks.replies import TRUNCATED, chat, is_truncated, words
from benchmarks.task import Outcome, Reply, Request, RequestType, Row, Sample, Task, scored, unparsed


def nothing(_: Sample) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Generation(Task):
    """A task with free-text answers.

    `prompt` is the question up to where its answer goes, `solution` the answer that an example shows, and
    `score_text` scores a text. A completion that reached `max_tokens` is only scored if `final`, the words that end
    an answer, is in it; `read_truncated` scores it in any case.

    With `repeats` > 1 every sample has that many completions with different seeds at `temperature`, and the
    majority answer counts (self-consistency; Wang et al. 2022, arXiv:2203.11171).
    """

    read: Callable[[Row], Sample]
    prompt: Callable[[Sample], str]
    score_text: Callable[[Sample, str], Outcome]
    solution: Callable[[Sample], str] = nothing
    header: Callable[[Sample], str] = nothing
    delimiter: str = " "
    between: str = "\n\n"
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    final: re.Pattern[str] | None = None
    read_truncated: bool = False
    repeats: int = 1
    temperature: float = 0.0

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [self.read(row) for row in rows]

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        solved = [f"{self.prompt(example)}{self.delimiter}{self.solution(example)}" for example in shots]
        text = self.header(sample) + self.between.join([*solved, self.prompt(sample)])
        body = chat(text, self.max_tokens, self.stop, self.temperature)
        if self.repeats == 1:
            return [body]
        return [{**body, "seed": number} for number in range(self.repeats)]

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        """The outcome of a single reply, or of the majority answer; failed repeats are excluded."""
        outcomes = [self._one(sample, reply) for reply in replies]
        if self.repeats == 1:
            return outcomes[0]
        return _voted(outcomes)

    def as_lm_eval(self) -> Task:
        return replace(self, read_truncated=True)

    def _one(self, sample: Sample, reply: Reply | None) -> Outcome:
        text = words(reply, truncated=True)
        if isinstance(text, Outcome):
            return text
        kept = before(text, self.stop)
        if reply is not None and is_truncated(reply) and kept == text and not self._whole(text):
            return unparsed(TRUNCATED, text)
        return self.score_text(sample, kept)

    def _whole(self, text: str) -> bool:
        return self.read_truncated or (self.final is not None and self.final.search(text) is not None)


def before(text: str, stops: Sequence[str]) -> str:
    """`text` up to the first stop string, as a server that knows them would have ended it."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(places)] if places else text


def _voted(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of the most frequent answer, with its share of the votes and the mean of all repeats."""
    readable = [outcome for outcome in outcomes if outcome.is_scored]
    if not readable:
        return next((outcome for outcome in outcomes if outcome.reason != "no reply"), outcomes[0])
    answer = majority([outcome.answer for outcome in readable])
    chosen = next(outcome for outcome in readable if outcome.answer == answer)
    name = next(iter(chosen.metrics))
    agreed = sum(outcome.answer == answer for outcome in readable)
    single = sum(outcome.metrics.get(name, 0.0) for outcome in readable) / len(outcomes)
    return scored({**chosen.metrics, "agreement": agreed / len(outcomes), "single": single}, chosen.answer)
