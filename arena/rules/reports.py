"""The kinds of reports of a battle to the operator."""

from __future__ import annotations

from enum import StrEnum

MOST_CHARACTERS = 2_000  # of the text of a report


class ReportKind(StrEnum):
    ILLEGAL = "illegal"
    PERSONAL = "personal"  # personal data of somebody
    HATEFUL = "hateful"
    BROKEN = "broken"  # nothing to read, or an error of the page
    OTHER = "other"
