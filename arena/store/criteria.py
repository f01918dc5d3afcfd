"""What a judge gave by each criterion of a rubric, as text of a column: JSON of [name, value, low, high] in order."""

from __future__ import annotations

import json
from collections.abc import Sequence

from judges.judge import OnScale


def criteria_text(criteria: Sequence[OnScale]) -> str:
    """The text of a column; empty without criteria."""
    return json.dumps(criteria, ensure_ascii=False, separators=(",", ":")) if criteria else ""


def criteria_of(text: str) -> tuple[OnScale, ...]:
    """The criteria of a column's text."""
    return tuple(OnScale(*row) for row in json.loads(text)) if text else ()
