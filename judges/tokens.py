"""The preference of a judge that replies with one letter, from the log-probabilities of the two letters.

    p(A) = sum of exp(l_t) over spellings t of A / the same over spellings of A and B

where the endpoint gives log-probabilities, and 1 or 0 from the letter itself where it does not, where one of them is
no number, or where they are of other text than the reply's.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from judges.judge import Reply
from judges.replies import Reason, Unparsable, content_of, first_choice, is_refusal, without_thinking
from judges.thinking import end_of_thinking

LETTERS = ("A", "B")
AROUND = (
    " \r\n\t▁Ġ*\"'`()[].:：。，,!「」【】“”‘’<>-–—"  # characters that tokenizers and models put around a letter
)
SENTENCE = re.compile(
    r"(?:(?:the\s+)?(?:better\s+|final\s+)?(?:answer|choice|verdict|output)(?:\s+is)?|选择?|答案是?|回答|更好的是)"
    r"[\s:：*\"'`(\[【]*([A-Za-z])[\s*\"'`)\].。】]*",
    re.IGNORECASE,
)


class Reading(NamedTuple):
    """A preference in [0, 1] for the side of the first letter, and whether the written letter alone gave it."""

    preference: float
    by_letter: bool


def preference(reply: Reply, letters: tuple[str, str] = LETTERS) -> float | Unparsable:
    """Preference in [0, 1] for the side of the first letter."""
    found = read(reply, letters)
    return found if isinstance(found, Unparsable) else found.preference


def read(reply: Reply, letters: tuple[str, str] = LETTERS) -> Reading | Unparsable:
    """The preference for the side of the first letter, and how it was read."""
    if is_refusal(reply):
        return Unparsable(Reason.REFUSED)
    scored = scored_tokens(reply)
    words = without_thinking(_text(reply, scored))
    if isinstance(words, Unparsable):
        return words
    letter = written_letter(words, letters)
    entry = after_thinking(scored) if scored else None
    if entry is None or isinstance(entry, Unparsable):
        return _of_letter(letter, letters)
    # one token that is no letter: its alternatives may be
    if _bare(str(entry["token"])) == (_bare(words) if letter is None else letter):
        mass = of_tokens(alternatives(entry), letters)
        return mass if isinstance(mass, Unparsable) else Reading(mass, by_letter=not entry.get("top_logprobs"))
    return _of_letter(letter, letters)


def _text(reply: Reply, scored: Sequence[Mapping[str, Any]]) -> str:
    """The text of the reply, or its tokens where the message has no content at all."""
    message = first_choice(reply).get("message")
    if isinstance(message, Mapping) and message.get("content") is None:
        return "".join(str(entry["token"]) for entry in scored)
    return content_of(reply)


def _of_letter(letter: str | None, letters: tuple[str, str]) -> Reading | Unparsable:
    return Unparsable(Reason.NONE) if letter is None else Reading(float(letter == letters[0]), by_letter=True)


def written_letter(words: str, letters: tuple[str, str] = LETTERS) -> str | None:
    """The letter that is the whole reply, alone or as "Answer: A"; letters that differ by case only keep their case.

    >>> written_letter("**a**"), written_letter("答案：B"), written_letter("A or B"), written_letter("M", ("m", "M"))
    ('A', 'B', None, 'M')
    """
    plain = unicodedata.normalize("NFKC", words)
    sentence = SENTENCE.fullmatch(plain.strip(AROUND))
    letter = sentence[1] if sentence else _bare(plain)
    if letters[0].casefold() != letters[1].casefold():
        letter = letter.upper()
    return letter if letter in letters else None


def _bare(text: str) -> str:
    return text.strip(AROUND)


def scored_tokens(reply: Reply) -> list[Mapping[str, Any]]:
    """The tokens of the reply with their log-probabilities; none if any of the first choice's entries is no such token.

    A token and each of its alternatives have a text and a finite number, at most 0 within rounding.
    """
    given = first_choice(reply).get("logprobs")
    content = given.get("content") if isinstance(given, Mapping) else None
    if not isinstance(content, list | tuple) or not content:
        return []
    return list(content) if all(map(_is_scored, content)) else []


def _is_scored(entry: object) -> bool:
    if not _is_token(entry):
        return False
    top = entry.get("top_logprobs") if isinstance(entry, Mapping) else None
    return top is None or (isinstance(top, list | tuple) and all(map(_is_token, top)))


def _is_token(entry: object) -> bool:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("token"), str):
        return False
    value = entry.get("logprob")
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value <= 1


def alternatives(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The alternatives at a token's place, with the token itself where the server left it out."""
    top = list(entry.get("top_logprobs") or [])
    return top if any(other["token"] == entry["token"] for other in top) else [*top, entry]


def after_thinking(content: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | Unparsable:
    """The first visible token that is not thinking; unclosed thinking is TRUNCATED, nothing after it is EMPTY."""
    text = "".join(str(entry["token"]) for entry in content)
    end = end_of_thinking(text)
    if end is None:
        return Unparsable(Reason.TRUNCATED)
    written = 0
    for entry in content:
        if written >= end and _bare(str(entry["token"])):
            return entry
        written += len(str(entry["token"]))
    return Unparsable(Reason.EMPTY)


def of_tokens(top: Iterable[Mapping[str, Any]], letters: tuple[str, str] = LETTERS) -> float | Unparsable:
    """The preference from a token's alternatives, each with `token` and `logprob`; NONE without either letter."""
    mass = dict.fromkeys(letters, 0.0)
    for entry in top:
        letter = _bare(str(entry["token"]))
        if letter in mass:
            mass[letter] += math.exp(float(entry["logprob"]))
    total = sum(mass.values())
    return mass[letters[0]] / total if total > 0 else Unparsable(Reason.NONE)
