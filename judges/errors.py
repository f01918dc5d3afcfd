"""Errors in stored verdicts and options, one class per kind; messages name the row and the remedy."""

from __future__ import annotations


class JudgesError(ValueError):
    """Stored verdicts or an option without a computable result."""


class BadRow(JudgesError):
    """A row with a missing field or a value out of range."""


class NoVerdicts(JudgesError):
    """No rows, or no readable verdict."""


class LengthMismatch(JudgesError):
    """Columns of unequal length."""


class BadOption(JudgesError):
    """An option outside its range."""


class BadTemplate(JudgesError):
    """An unusable template of a judge prompt."""


class BadRubric(JudgesError):
    """A rubric that cannot be used; the text names its key."""


class NotConverged(JudgesError):
    """A fit that found no maximum."""
