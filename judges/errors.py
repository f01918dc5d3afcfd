"""What can be wrong with stored verdicts: one class a mistake, each message naming the row and what helps."""

from __future__ import annotations


class JudgesError(ValueError):
    """Stored verdicts, or an option, that nothing can be computed from."""


class BadRow(JudgesError):
    """A row without a field that its format prescribes, or with a value outside its range."""


class NoVerdicts(JudgesError):
    """Nothing to score: no row, or not one readable verdict."""


class LengthMismatch(JudgesError):
    """Columns of unequal length."""


class BadOption(JudgesError):
    """An option outside its range."""


class BadTemplate(JudgesError):
    """A prompt template that a judge cannot be asked with."""
