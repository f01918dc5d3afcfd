"""One judge, two completions, one order. `both_orders` and `panel` make better judges of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from judges import tokens
from judges.errors import BadOption
from judges.judge import MIRRORED, Pair, Reply, Request, Verdict
from judges.places import body, of_pair
from judges.replies import Reason, Unparsable, reply_text
from judges.schemes import alpaca_eval, arena_hard, mt_bench, wildbench
from judges.template import Template, own, template

NEEDS = ("question|question_2", "answer_a|answer_a_2", "answer_b|answer_b_2")
TOP = 20  # alternatives of the one token; the most that hosted endpoints give
Reading = Callable[[Reply], Verdict | Unparsable]


@dataclass(frozen=True)
class Scheme:
    """How a judge of pairs is asked and read."""

    prompt: str  # the name of our own template
    read: Reading
    sampling: Mapping[str, Any]
    words: int | None = None  # of each text that the judge is shown


def winner_of(preference: float) -> str:
    """The side preferred; exactly one half is a tie."""
    return "tie" if preference == 0.5 else "model_a" if preference > 0.5 else "model_b"


def _named(winner: str | Unparsable, reason: str) -> Verdict | Unparsable:
    if isinstance(winner, Unparsable):
        return winner
    preference = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5}[winner]
    return Verdict(winner, preference, reason, strength=int(winner != "tie"))


def _graded(lead: int | Unparsable, reason: str) -> Verdict | Unparsable:
    """From 2 (A much better) to -2."""
    if isinstance(lead, Unparsable):
        return lead
    winner = winner_of(0.5 + lead)
    return Verdict(winner, {"model_a": 1.0, "model_b": 0.0, "tie": 0.5}[winner], reason, strength=abs(lead))


def _soft(preference: float | Unparsable) -> Verdict | Unparsable:
    if isinstance(preference, Unparsable):
        return preference
    return Verdict(winner_of(preference), preference, "", strength=int(preference != 0.5))


def _text(read: Callable[[str], Verdict | Unparsable]) -> Reading:
    """A reading of the reply's words."""

    def reading(reply: Reply) -> Verdict | Unparsable:
        words = reply_text(reply)
        return words if isinstance(words, Unparsable) else read(words)

    return reading


def _alpaca_eval(reply: Reply) -> Verdict | Unparsable:
    """AlpacaEval's m and M: from log-probabilities as published, else from the letter."""
    found = alpaca_eval.verdict(reply, switched=False)
    if isinstance(found, Unparsable) and found.reason is Reason.EMPTY:
        return _soft(tokens.preference(reply, (alpaca_eval.FIRST, alpaca_eval.SECOND)))
    return _soft(found if isinstance(found, Unparsable) else 2 - found)  # 1 is the output shown first


ONE_TOKEN = {"max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": TOP}
LABELLED = _text(lambda words: _named(mt_bench.verdict(words), words))
SCHEMES = {
    "arena": Scheme("arena", LABELLED, {"max_tokens": 1024, "temperature": 0}),
    "token": Scheme("token", lambda reply: _soft(tokens.preference(reply)), ONE_TOKEN),
    "alpaca_eval": Scheme("alpaca_eval", _alpaca_eval, {**ONE_TOKEN, "temperature": 1, "top_logprobs": 5}),
    "arena_hard": Scheme(
        "arena_hard",
        _text(lambda words: _graded(arena_hard.verdict(words), words)),
        {"max_tokens": 4096, "temperature": 0},
    ),
    "mt_bench": Scheme("mt_bench_pair", LABELLED, {"max_tokens": 2048, "temperature": 0}),
    "wildbench": Scheme(
        "wildbench_pair",
        _text(lambda words: _graded(wildbench.verdict_choice(words), words)),
        {"max_tokens": 2048, "temperature": 0, "response_format": {"type": "json_object"}},
        words=1000,
    ),
}


@dataclass(frozen=True)
class PairwiseJudge:
    """The model `model` as a judge of pairs, in the order in which it is given them.

    Identical completions are a tie and an empty one loses, without a call. `sampling` goes over the scheme's
    own; `thinking_budget` tokens are added to its limit for judges that think before they answer.
    """

    model: str
    scheme: str = "arena"
    text: str | None = None  # a template in place of ours
    sampling: Mapping[str, Any] = field(default_factory=dict)
    thinking_budget: int = 0

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise BadOption(f"scheme {self.scheme!r}; expected one of: {', '.join(SCHEMES)}")
        self.template()

    @property
    def name(self) -> str:
        return self.model

    def template(self) -> Template:
        prompt = SCHEMES[self.scheme].prompt
        return template(own(prompt) if self.text is None else self.text, NEEDS, prompt)

    def requests(self, item: Pair) -> Sequence[Request]:
        if _without_asking(item):
            return []
        scheme = SCHEMES[self.scheme]
        sampling = {**scheme.sampling, "thinking_budget": self.thinking_budget, **self.sampling}
        return [body(self.model, self.template(), of_pair(item), scheme.words, sampling)]

    def unreadable(self, item: Pair, number: int, reply: Reply) -> Unparsable | None:
        found = SCHEMES[self.scheme].read(reply)
        return found if isinstance(found, Unparsable) else None

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        if decided := _without_asking(item):
            return decided
        reply = replies[0]
        return Unparsable(Reason.MISSING) if reply is None else SCHEMES[self.scheme].read(reply)


def _without_asking(pair: Pair) -> Verdict | None:
    """Pairs that nobody need be paid for: the same words twice, or nothing on one side."""
    a, b = ((pair.earlier_a, pair.completion_a.strip()), (pair.earlier_b, pair.completion_b.strip()))
    if a == b:
        return Verdict("tie", 0.5, "Both completions are the same.", strength=0)
    if not pair.completion_a.strip():
        return Verdict("model_b", 0.0, "Completion A is empty.", strength=2)
    if not pair.completion_b.strip():
        return Verdict("model_a", 1.0, "Completion B is empty.", strength=2)
    return None


__all__ = ["MIRRORED", "SCHEMES", "PairwiseJudge", "Scheme", "winner_of"]
