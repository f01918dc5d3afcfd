"""The preference of a judge that replies with one letter, from the log-probabilities of the two letters.

    p(A) = sum of exp(l_t) over spellings t of A / the same over spellings of A and B

where the endpoint gives log-probabilities, and 1 or 0 from the letter itself where it does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from judges.judge import Reply
from judges.replies import Reason, Unparsable, without_thinking

LETTERS = ("A", "B")
AROUND = " \n\t▁Ġ*\"'`()[]."  # characters that tokenizers and models put around a letter


def preference(reply: Reply, letters: tuple[str, str] = LETTERS) -> float | Unparsable:
    """Preference in [0, 1] for the side of the first letter."""
    choice = reply["choices"][0]
    if choice["message"].get("refusal") or choice.get("finish_reason") == "content_filter":
        return Unparsable(Reason.REFUSED)
    content = (choice.get("logprobs") or {}).get("content")
    if content:
        answer = after_thinking(content)
        if isinstance(answer, Unparsable):
            return answer
        return of_tokens(answer.get("top_logprobs") or [answer], letters)
    words = without_thinking(choice["message"].get("content") or "")
    if isinstance(words, Unparsable):
        return words
    letter = words.strip(AROUND)
    if letter not in letters:
        return Unparsable(Reason.NONE)
    return float(letter == letters[0])


def after_thinking(content: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | Unparsable:
    """The first token that is not thinking; unclosed thinking is TRUNCATED, nothing after it is EMPTY."""
    text = "".join(str(entry["token"]) for entry in content)
    if "</think>" not in text:
        return Unparsable(Reason.TRUNCATED) if text.lstrip().startswith("<think>") else content[0]
    ends, written = text.index("</think>") + len("</think>"), 0
    for entry in content:
        if written >= ends and str(entry["token"]).strip(AROUND):
            return entry
        written += len(str(entry["token"]))
    return Unparsable(Reason.EMPTY)


def of_tokens(top: Iterable[Mapping[str, Any]], letters: tuple[str, str] = LETTERS) -> float | Unparsable:
    """The preference from a token's alternatives, each with `token` and `logprob`; NONE without either letter."""
    mass = dict.fromkeys(letters, 0.0)
    for entry in top:
        letter = str(entry["token"]).strip(AROUND)
        if letter in mass:
            mass[letter] += math.exp(float(entry["logprob"]))
    total = sum(mass.values())
    return mass[letters[0]] / total if total > 0 else Unparsable(Reason.NONE)
