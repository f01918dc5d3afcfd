"""Errors in data and options; every message says what to do."""


class BenchmarkError(ValueError):
    """Base of all errors of this library."""


class BadData(BenchmarkError):
    """A file of a task cannot be used."""


class BadOption(BenchmarkError):
    """An option that is not valid for this task."""


class MissingExtra(BenchmarkError, ImportError):
    """A library of an extra is not installed."""
