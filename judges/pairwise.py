"""A judge of pairs in one order, to be combined with `both_orders` and `panel`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from judges import tokens
from judges.judge import MIRRORED, PREFERENCES, Pair, Reply, Verdict
from judges.protocols import alpaca_eval, arena_hard, mt_bench, prometheus, wildbench
from judges.replies import Reason, Unparsable, reply_text
from judges.request_builder import Protocol, RequestBuilder, by_turn
from judges.template_fields import pair_values

TOP = 20  # alternatives of the one token; the most that hosted endpoints give
Reader = Callable[[Reply], Verdict | Unparsable]


def winner_of(preference: float) -> str:
    """The preferred side; a preference of exactly 1/2 is a tie."""
    return "tie" if preference == 0.5 else "model_a" if preference > 0.5 else "model_b"


def _named(winner: str | Unparsable, reason: str) -> Verdict | Unparsable:
    if isinstance(winner, Unparsable):
        return winner
    return Verdict(winner, PREFERENCES[winner], reason, strength=int(winner != "tie"))


def _graded(lead: int | Unparsable, reason: str) -> Verdict | Unparsable:
    """The verdict of a lead from 2 (A much better) to -2."""
    if isinstance(lead, Unparsable):
        return lead
    winner = winner_of(0.5 + lead)
    return Verdict(winner, PREFERENCES[winner], reason, strength=abs(lead))


def _soft(preference: float | Unparsable, *, by_letter: bool = False) -> Verdict | Unparsable:
    if isinstance(preference, Unparsable):
        return preference
    strength = int(preference != 0.5)
    return Verdict(winner_of(preference), preference, "", strength, by_letter=int(by_letter))


def _token(reply: Reply, letters: tuple[str, str] = tokens.LETTERS) -> Verdict | Unparsable:
    """The verdict of the two letters, from their log-probabilities or from the one that is written."""
    read = tokens.read(reply, letters)
    return read if isinstance(read, Unparsable) else _soft(read.preference, by_letter=read.by_letter)


def _text(read: Callable[[str], Verdict | Unparsable]) -> Reader:
    """A reader of the reply's text."""

    def reader(reply: Reply) -> Verdict | Unparsable:
        words = reply_text(reply)
        return words if isinstance(words, Unparsable) else read(words)

    return reader


def _alpaca_eval(reply: Reply) -> Verdict | Unparsable:
    """The verdict of AlpacaEval's m and M: from log-probabilities as published, else from the letter.

    EMPTY is a reply without log-probabilities, or one of more than one token.
    """
    preference = alpaca_eval.verdict(reply, switched=False)
    if isinstance(preference, Unparsable) and preference.reason is Reason.EMPTY:
        return _token(reply, (alpaca_eval.FIRST, alpaca_eval.SECOND))
    if isinstance(preference, Unparsable):
        return preference
    [token] = tokens.scored_tokens(reply)
    return _soft(2 - preference, by_letter=not token.get("top_logprobs"))  # 1 is the output shown first


ONE_TOKEN = {"max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": TOP}
LABELLED = _text(lambda words: _named(mt_bench.verdict(words), words))
PROTOCOLS = {
    "arena": Protocol("arena", LABELLED, {"max_tokens": 1024, "temperature": 0}),
    "token": Protocol("token", _token, ONE_TOKEN),
    "alpaca_eval": Protocol("alpaca_eval", _alpaca_eval, {**ONE_TOKEN, "temperature": 1, "top_logprobs": 5}),
    "arena_hard": Protocol(
        "arena_hard",
        _text(lambda words: _graded(arena_hard.verdict(words), words)),
        {"max_tokens": 4096, "temperature": 0},
    ),
    "mt_bench": Protocol("mt_bench_pair", LABELLED, {"max_tokens": 2048, "temperature": 0}, each_turn=True),
    "prometheus": Protocol(
        "prometheus_pair",
        _text(lambda words: _named(prometheus.verdict(words), words)),
        {"max_tokens": 1024, "temperature": 0},
    ),
    "wildbench": Protocol(
        "wildbench_pair",
        _text(lambda words: _graded(wildbench.verdict_choice(words), words)),
        {"max_tokens": 2048, "temperature": 0, "response_format": {"type": "json_object"}},
        words=1000,
    ),
}


@dataclass(frozen=True)
class PairwiseJudge(RequestBuilder[Pair, Verdict]):
    """The model `model` as a judge of pairs, each in its own order.

    Identical completions and two empty ones are a tie, and one empty completion loses, without a call. Options as in
    `RequestBuilder`.
    """

    protocol: str = "arena"

    protocols: ClassVar[Mapping[str, Protocol[Verdict]]] = PROTOCOLS
    needs: ClassVar[tuple[str, ...]] = ("question", "answer_a", "answer_b")
    needs_of_turns: ClassVar[tuple[str, ...]] = ("question_2", "answer_a_2", "answer_b_2")

    def _values(self, item: Pair) -> Mapping[str, str]:
        return pair_values(item)

    def _decided(self, item: Pair) -> Verdict | None:
        return without_call(item)

    def _mean(self, results: Sequence[Verdict]) -> Verdict:
        preference = sum(verdict.preference for verdict in results) / len(results)
        winner = winner_of(preference)
        reason = by_turn([verdict.reason for verdict in results])
        strength = 0 if winner == "tie" else min(verdict.strength for verdict in results) or 1
        letters = sum(verdict.by_letter for verdict in results)
        return Verdict(winner, preference, reason, strength, by_letter=letters)


def without_call(pair: Pair) -> Verdict | None:
    """The verdict on a pair that needs no call: identical completions, or an empty one; else None.

    Two empty completions are a tie whatever the earlier turns are: nothing of the last turn prefers a side.
    """
    a, b = ((pair.earlier_a, pair.completion_a.strip()), (pair.earlier_b, pair.completion_b.strip()))
    if a == b:
        return Verdict("tie", 0.5, "Both completions are the same.", strength=0)
    if not a[1] and not b[1]:
        return Verdict("tie", 0.5, "Both completions are empty.", strength=0)
    if not pair.completion_a.strip():
        return Verdict("model_b", 0.0, "Completion A is empty.", strength=2)
    if not pair.completion_b.strip():
        return Verdict("model_a", 1.0, "Completion B is empty.", strength=2)
    return None


__all__ = ["MIRRORED", "PROTOCOLS", "PairwiseJudge", "Protocol", "winner_of"]
