"""What the searches over battles have in common: words, a model, a result and a page."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator, Field

from arena.web.addresses import Parameters
from arena.web.locales import gettext as _

WORDS = 12  # of a search: each one reads every completion


def _few_words(q: str) -> str:
    if len(q.split()) > WORDS:
        raise ValueError(_("has {count} words. Use at most {most}", count=len(q.split()), most=WORDS))
    return q.strip()


Words = Annotated[str, Field(max_length=200), AfterValidator(_few_words)]


class SearchParameters(Parameters):
    """The parameters of a search."""

    q: Words = ""
    model: str = ""
    winner: str = ""
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    def result(self, known: Collection[str]) -> str:
        """The result to search for; an unknown one is ignored, and so is won or lost without a model."""
        is_valid = self.winner in known and (self.winner not in ("won", "lost") or bool(self.model))
        return self.winner if is_valid else ""
