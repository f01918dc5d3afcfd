"""The application: endpoints, battles, votes, the store, the web pages and the command line."""

from importlib.metadata import version

__version__ = version("arena")
