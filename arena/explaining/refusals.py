"""Why an explanation cannot be computed, for the command line and for the reader of a page."""

from __future__ import annotations

from arena.errors import ConfigError, WorkFailed
from arena.rules.messages import TranslatableError


class ExplanationRefused(ConfigError, TranslatableError):
    """An explanation that cannot be computed. The command line also names the `option`, which a page does not have."""

    def __init__(self, text: str, /, option: str = "", **values: object) -> None:
        super().__init__(text, **values)
        self.option = option

    def __str__(self) -> str:
        return f"{self.option}: {self.text}" if self.option else str(self.text)


class JudgeFailed(WorkFailed, TranslatableError):
    """Calls to the judge failed; the replies to the others are in the reply cache."""
