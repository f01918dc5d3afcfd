"""The short answer of a free reply: an option `(A)`, a word, a number, brackets (BIG-Bench Hard)."""

from __future__ import annotations

import re

from benchmarks.markup import plain_text
from benchmarks.stated import stated_line

OPTION = re.compile(r"^\(?([A-R])\)?(?=$|[\s.:,)])(?:\)|\.|:|(?<=\))|$)(?:\s.*)?$")
WHOLE = re.compile(  # a reply that is nothing but an answer
    r"(?i)^(?:\(?[A-R]\)?\.?|\(?[A-R]\)\s.*|yes|no|true|false|valid|invalid|(?:not )?plausible|(?:not )?ambiguous"
    r"|-?\d+|[\s()\[\]{}<>]+)\.?$"
)
NO_ANSWER = re.compile(r"(?i)let's\b|not (?!plausible|ambiguous|valid)")
NAMED = re.compile(r"(?i)^(?:the )?(?:option|choice|letter) (?=\(?[a-z]\b)")
WORD = re.compile(
    r"(?i)(yes|no|true|false|valid|invalid|plausible|implausible)\s?[,;(-]"
)  # an explanation follows
LATER_SENTENCE = re.compile(r"(?<=[A-Za-z0-9)])\.\s+(?=[A-Z]).*$")


def short_answer(text: str) -> str | None:
    """The line after the last "the answer is", else a reply that is nothing but an option, a word or a number."""
    plain = plain_text(text)
    answer = stated_line(plain)
    if answer is None:
        answer = plain if WHOLE.match(plain) else None
    if answer is None or NO_ANSWER.match(answer):
        return None
    answer = LATER_SENTENCE.sub("", answer).strip().removesuffix(".").strip()
    answer = NAMED.sub("", answer)
    if word := WORD.match(answer):
        return word.group(1)
    option = OPTION.match(answer)
    return f"({option.group(1)})" if option else answer or None
