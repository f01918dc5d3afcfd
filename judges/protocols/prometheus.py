"""Prometheus: a feedback, then [RESULT] and a score from 1 to 5, or the letter of the better response.

    score from 1 to 10 = 1 + 9 (s - 1) / 4

Source: Kim et al., Prometheus 2, arXiv 2405.01535.
"""

from __future__ import annotations

import re

from judges.marks import marked
from judges.replies import Reason, Unparsable

SCORE = re.compile(r"\[RESULT\][\s*_:(\[]{0,6}(\d{1,3}(?:\.\d{1,3})?)(?:\s?/\s?5)?(?!\w|\.\d|\s?/)", re.IGNORECASE)
LETTER = re.compile(r"\[RESULT\][\s*_:(\[]{0,6}(?:Response\s)?([AB])(?!\w)", re.IGNORECASE)


def verdict_score(reply: str | None) -> float | Unparsable:
    """The score, on our scale from 1 to 10."""
    given = marked(SCORE, reply)
    if isinstance(given, Unparsable):
        return given
    return 1 + 9 * (float(given) - 1) / 4 if 1 <= float(given) <= 5 else Unparsable(Reason.OUT_OF_RANGE)


def verdict(reply: str | None) -> str | Unparsable:
    """The better side."""
    letter = marked(LETTER, reply)
    return letter if isinstance(letter, Unparsable) else {"A": "model_a", "B": "model_b"}[letter]
