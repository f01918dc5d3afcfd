"""What can be wrong with data and options; every text says what to do."""


class BenchmarkError(ValueError):
    """Base of all errors of this library."""


class BadData(BenchmarkError):
    """A file of a task cannot be used."""


class UnknownSubject(BenchmarkError):
    """A subject that the data does not have."""


class BadOption(BenchmarkError):
    """An option without a meaning for this task."""


class MissingExtra(BenchmarkError, ImportError):
    """A library that comes with an extra is not installed."""
