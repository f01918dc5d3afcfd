"""Errors that the command line tells without a traceback. The text says what to do.

Wrong use (an option, a setting, a file or a database that another command would mend) ends with exit code 2; work
that was begun and failed is a `WorkFailed` and ends with 1.
"""


class WorkFailed(Exception):
    """What was asked for was begun and could not be done: a server is down, a disk is full."""


class ConfigError(Exception):
    """The settings, or the words of a command, cannot be used."""


class InputError(Exception):
    """A file that was given cannot be used; the message names it, the row and what helps."""


class DatabaseError(Exception):
    """The database cannot be used."""


class DatabaseFailed(DatabaseError, WorkFailed):
    """The database itself refused, in the middle of its work or before."""


class DatabaseUnavailable(DatabaseFailed):
    """The database does not answer, is full, locked, read-only or damaged, or its file was moved; nothing is certain.

    `reason` is for readers: it has no path, address or name.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
