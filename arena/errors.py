"""Errors that the command line tells without a traceback. The text says what to do."""


class ConfigError(Exception):
    """The settings, or the words of a command, cannot be used."""


class DatabaseError(Exception):
    """The database cannot be used."""


class InputError(Exception):
    """A file that was given cannot be used; the message names it, the row and what helps."""
