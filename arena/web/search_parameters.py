"""What the searches over battles have in common: words, a model, a result and a page, and the address with them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AfterValidator, Field

from arena.rules.messages import gettext_noop
from arena.web.addresses import Parameters
from arena.web.locales import gettext as _

RESULT = "winner"  # the parameter that has the result
RESULT_NAMES = {
    "won": gettext_noop("won by the model"),
    "lost": gettext_noop("lost by the model"),
    "decided": gettext_noop("with a winner"),
    "tie": gettext_noop("a tie"),
    "both_bad": gettext_noop("both bad"),
}
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


def search_link(here: str, wanted: Any, place: str = "") -> str:
    """The address of a search at `here`, without what is its default; `wanted` is a dataclass of conditions."""
    default = asdict(type(wanted)())
    words = {
        RESULT if key == "result" else key: value for key, value in asdict(wanted).items() if value != default[key]
    }
    return "".join((here, f"?{urlencode(words)}" if words else "", f"#{place}" if place else ""))
