"""What two explanations of the same words have in common, beside what chance would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from interp.document import Explanation
from interp.evaluation.map_agreement import map_agreement
from interp.render.heat import is_signed

SIDES = 2


def agreement(documents: Sequence[Explanation]) -> dict[str, Any] | None:
    """The agreement of two maps of the same words, and the texts of the words that both put on top; else None."""
    if len(documents) != SIDES:
        return None
    first, second = documents
    texts = [[(word.segment, word.text) for word in document.words] for document in documents]
    if texts[0] != texts[1] or not first.words:
        return None
    signed = is_signed(first) and is_signed(second)
    scores = [np.array([word.score for word in document.words]) for document in documents]
    measured = map_agreement(*scores, signed=signed)
    return {"measured": measured, "signed": signed, "words": [first.words[at] for at in measured.shared]}
