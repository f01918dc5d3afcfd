"""Multiple choice: one definition of a task and three request types, of which the endpoint decides.

1. `LOGLIKELIHOOD`: the log-probability of every choice after the question, as the published protocols have it.
2. `FIRST_TOKEN`: chat, one token, and the log-probabilities of the letters among its candidates.
3. `GENERATE`: chat, and the letter is read from the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any

from benchmarks.calibration import calibration
from benchmarks.classification import f1
from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.extract import simple_evals_letter
from benchmarks.letters import LETTERS, choice_letter
from benchmarks.metrics import choice_metrics
from benchmarks.replies import chat, words
from benchmarks.task import (
    Corpus,
    Metrics,
    Outcome,
    Reply,
    Request,
    RequestType,
    Row,
    Sample,
    Task,
    failed,
    scored,
    unparsed,
)

CANDIDATES = 20  # the most that OpenAI's servers name for a token
READ_TOKENS = 1024  # of a generated answer; room for some thinking aloud
DIGITS = re.compile(r"[0-9]{1,9}")  # an index; `isdigit` also takes superscripts, which are no numbers
CHOSEN = "_chosen"  # the index of the chosen one, for metrics of all samples together
ACCURACIES = ("acc", "acc_norm", "acc_bytes", "acc_uncond")
STRIPPED = " \n\t▁Ġ(（[*_`\"'"  # what may stand around a letter inside one token

Pairs = Sequence[tuple[Sample, Metrics]]


def nothing(_: Sample) -> str:
    return ""


def lettered(sample: Sample) -> str:
    """The question and its choices, one per line: `A. …`. Raises `BadData` for more choices than letters."""
    lines = [f"{letter}. {choice}" for letter, choice in zip(by_letter(sample), sample.choices, strict=True)]
    return "\n".join([str(sample.fields["question"]).strip(), *lines])


def by_letter(sample: Sample) -> Sequence[str]:
    """The letters of the choices. Raises `BadData` for more choices than letters."""
    if len(sample.choices) > len(LETTERS):
        raise BadData(
            f"Sample {sample.id!r} has {len(sample.choices)} choices, and letters end at {len(LETTERS)}. Remove choices, "
            "or compare the choices' own words with --request-type loglikelihood."
        )
    return LETTERS[: len(sample.choices)]


def label(index: int) -> str:
    """What a choice is called for readers: its letter, beyond Z its number from 1."""
    return LETTERS[index] if index < len(LETTERS) else str(index + 1)


def by_text(sample: Sample) -> Sequence[str]:
    return sample.choices


def instruction(sample: Sample) -> str:
    letters = by_letter(sample)
    named = f"{', '.join(letters[:-1])} or {letters[-1]}"
    return (
        "Answer the multiple-choice question below. You may reason briefly first. "
        f'End with a line "Answer: X", where X is {named}.'
    )


@dataclass(frozen=True, kw_only=True)
class MultipleChoice(Task):
    """A task of questions with choices, one of which (`target`, an index) is right.

    `read` makes a sample of a row. `prompt` is the question up to where its answer goes, and `options` the
    continuations whose log-likelihoods are compared: the letters, or the choices' own words. `header` is the text
    before everything else. `shown` is the question with lettered choices, for request types that need letters.
    """

    read: Callable[[Row], Sample]
    prompt: Callable[[Sample], str]
    options: Callable[[Sample], Sequence[str]] = by_text
    header: Callable[[Sample], str] = nothing
    shown: Callable[[Sample], str] = lettered
    answer_line: str = "Answer:"
    delimiter: str = " "
    unconditional: str | None = None  # a context that says nothing, for `acc_uncond`
    request_types: Sequence[RequestType] = (
        RequestType.LOGLIKELIHOOD,
        RequestType.FIRST_TOKEN,
        RequestType.GENERATE,
    )
    metric: str = "acc"
    text_scorer: int = 2
    counted: Sequence[str] = ACCURACIES
    corpus: Mapping[str, Corpus] = field(default_factory=lambda: together())

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [self.read(row) for row in rows]

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        if request_type is RequestType.LOGLIKELIHOOD:
            context, options = self.context(sample, shots), self.options(sample)
            contexts = [context] if self.unconditional is None else [context, self.unconditional]
            return [
                {"context": before, "continuation": f"{self.delimiter}{option}"}
                for before in contexts
                for option in options
            ]
        if request_type is RequestType.FIRST_TOKEN:
            solved = [f"{self._shown(example)} {LETTERS[example.target]}" for example in shots]
            body = chat(self.header(sample) + "\n\n".join([*solved, self._shown(sample)]), 1)
            return [{**body, "logprobs": True, "top_logprobs": CANDIDATES}]
        solved = [f"{self.shown(example)}\nAnswer: {LETTERS[example.target]}" for example in shots]
        return [chat("\n\n".join([instruction(sample), *solved, self.shown(sample)]), READ_TOKENS)]

    def context(self, sample: Sample, shots: Sequence[Sample]) -> str:
        """The published prompt: header, solved examples, the question."""
        solved = [
            f"{self.prompt(example)}{self.delimiter}{self.options(example)[example.target]}" for example in shots
        ]
        return self.header(sample) + "\n\n".join([*solved, self.prompt(sample)])

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        if not replies or any(reply is None for reply in replies):
            return failed()
        if request_type is RequestType.LOGLIKELIHOOD:
            return self._by_loglikelihood(
                sample, [float(reply["logprob"]) for reply in replies if reply is not None]
            )
        if request_type is RequestType.FIRST_TOKEN:
            return first_token(sample, replies[0])
        text = words(replies[0])
        if isinstance(text, Outcome):
            return text
        strict = simple_evals_letter(text)
        published = {"strict": float(strict is not None and LETTERS.index(strict) == sample.target)}
        letter = choice_letter(text, sample.choices)
        if letter is None:
            return unparsed("no letter of a choice", text, published)
        return _chosen(sample, LETTERS.index(letter), published)

    def _by_loglikelihood(self, sample: Sample, every: Sequence[float]) -> Outcome:
        options = self.options(sample)
        logprobs, alone = every[: len(options)], every[len(options) :]
        metrics = choice_metrics(logprobs, options, sample.target)
        if alone:
            gains = [value - without for value, without in zip(logprobs, alone, strict=True)]
            metrics["acc_uncond"] = float(gains.index(max(gains)) == sample.target)
        likeliest = max(range(len(options)), key=logprobs.__getitem__)
        return scored({**metrics, CHOSEN: float(likeliest)}, label(likeliest))

    def _shown(self, sample: Sample) -> str:
        return f"{self.shown(sample)}\n{self.answer_line}"


def first_token(sample: Sample, reply: Reply | None) -> Outcome:
    """The letter whose tokens (`A`, ` A`, `(A`) have the highest total probability among the first token's candidates.

    Letters below the candidates count as probability 0; unparsed where no letter is among them.
    """
    if reply is None:
        return failed()
    content = (reply["choices"][0].get("logprobs") or {}).get("content") or []
    if not content:
        return unparsed("no log-probabilities in the reply")
    letters = by_letter(sample)
    shares = dict.fromkeys(letters, 0.0)
    for candidate in content[0].get("top_logprobs") or []:
        letter = str(candidate["token"]).strip(STRIPPED + ".):）]")
        if letter in shares and candidate.get("logprob") is not None:
            shares[letter] += exp(float(candidate["logprob"]))
    total = sum(shares.values())
    if total == 0.0:
        return unparsed("no letter of a choice among the first token's candidates")
    likeliest = max(letters, key=lambda letter: shares[letter])
    extra = {"confidence": shares[likeliest] / total, "in_letters": total}
    return _chosen(sample, letters.index(likeliest), extra)


def _chosen(sample: Sample, index: int, extra: Mapping[str, float]) -> Outcome:
    """The outcome of a chosen letter; all accuracies are equal, since every letter is one character."""
    right = float(index == sample.target)
    return scored({**dict.fromkeys(ACCURACIES, right), **extra, CHOSEN: float(index)}, LETTERS[index])


def _calibration(pairs: Pairs) -> float:
    """The calibration error of the samples with a confidence; NaN if there is none."""
    confident = [metrics for _, metrics in pairs if "confidence" in metrics]
    if not confident:
        return float("nan")
    return calibration(
        [metrics["confidence"] for metrics in confident], [metrics["acc"] for metrics in confident]
    ).error


def _macro_f1(pairs: Pairs) -> float:
    """Macro F1 over the letters; below the accuracy if a model prefers one letter."""
    chosen = [(int(metrics[CHOSEN]), sample.target) for sample, metrics in pairs if CHOSEN in metrics]
    return f1([choice for choice, _ in chosen], [right for _, right in chosen]).macro if chosen else float("nan")


def together() -> dict[str, Corpus]:
    """The metrics of all samples of a choice."""
    return {"calibration_error": _calibration, "macro_f1": _macro_f1}


def own_choice(row: Row) -> Sample:
    """A row `{"question", "choices": [text], "answer": index or letter}`; `id` and `subject` if it has them."""
    choices = tuple(str(choice) for choice in row["choices"])
    return Sample(
        id=str(row.get("id", f"{row.get('_file', '')}/{row.get('_line', '')}")),
        fields={"question": row["question"]},
        choices=choices,
        target=target_of(row["answer"], choices, row),
        subject=str(row.get("subject", "")),
    )


def target_of(answer: Any, choices: Sequence[str], row: Row) -> int:
    """The index of the right choice, given as an index or a letter. Raises `BadData`."""
    found = LETTERS.find(answer) if isinstance(answer, str) and len(answer) == 1 and answer.isalpha() else -1
    if found < 0 and isinstance(answer, int | str) and DIGITS.fullmatch(str(answer)):
        found = int(answer)
    if not choices:
        raise BadData(f"{location(row)}: There are no choices. Give at least two.")
    if not 0 <= found < len(choices):
        raise BadData(
            f"{location(row)}: answer {answer!r} is not one of the {len(choices)} choices. Give an index "
            f"from 0 or a letter up to {LETTERS[min(len(choices), len(LETTERS)) - 1]}."
        )
    return found
