"""A reward model as a judge of pairs: the difference of two rewards is the logit of the preference.

    P(A preferred to B) = expit(r(prompt, A) - r(prompt, B))

Each completion is scored alone, so that the order of a pair cannot matter.
Source: Ouyang et al., arXiv 2203.02155, eq. 1; Lambert et al., RewardBench, arXiv 2403.13787.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from judges.judge import Message, Pair, Reply, Request, Verdict
from judges.replies import Reason, Unparsable


@dataclass(frozen=True)
class RewardJudge:
    """The reward model `model`. Each reply has a `score`; a reply without a finite score gives no verdict."""

    model: str

    @property
    def name(self) -> str:
        return self.model

    def requests(self, item: Pair) -> Sequence[Request]:
        if _same(item):
            return []
        sides = ((item.earlier_a, item.completion_a), (item.earlier_b, item.completion_b))
        return [{"model": self.model, "messages": _conversation(item, *side)} for side in sides]

    def unreadable(self, item: Pair, number: int, reply: Reply) -> Unparsable | None:
        score = _score(reply)
        return score if isinstance(score, Unparsable) else None

    def verdict(self, item: Pair, replies: Sequence[Reply | None]) -> Verdict | Unparsable:
        if not replies:
            words = "the same" if item.completion_a.strip() else "empty"
            return Verdict("tie", 0.5, f"Both completions are {words}.", strength=0)
        scores = []
        for reply in replies:
            score = Unparsable(Reason.MISSING) if reply is None else _score(reply)
            if isinstance(score, Unparsable):
                return score
            scores.append(score)
        a, b = scores
        preference = 1 / (1 + math.exp(min(b - a, 700.0)))  # exp overflows beyond 709
        winner = "tie" if a == b else "model_a" if a > b else "model_b"
        return Verdict(winner, preference, f"rewards {a:.3f} and {b:.3f}", strength=int(a != b))


def _same(item: Pair) -> bool:
    """Whether nothing of the last turn prefers a side: the same conversation twice, or two empty completions."""
    a, b = item.completion_a.strip(), item.completion_b.strip()
    return a == b and (not a or item.earlier_a == item.earlier_b)


def _conversation(item: Pair, earlier: Sequence[str], completion: str) -> list[Message]:
    """The messages of the prompt, the model's earlier turns, and the completion to score."""
    if not earlier:
        return [*item.messages, {"role": "assistant", "content": completion}]
    users = [message for message in item.messages if message["role"] == "user"][-len(earlier) - 1 :]
    messages: list[Message] = list(item.messages[: len(item.messages) - len(users)])
    for prompt, written in zip(users, (*earlier, completion), strict=True):
        messages += [prompt, {"role": "assistant", "content": written}]
    return messages


def _score(reply: Reply) -> float | Unparsable:
    score: Any = reply.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        return Unparsable(Reason.NONE)
    return float(score)
