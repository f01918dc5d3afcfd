"""Notes of an explanation for its reader. A document stores them in English; their templates make them translatable."""

from __future__ import annotations

import re
from collections.abc import Iterable

from interp.texts import gettext_noop

ROUGH = gettext_noop(
    "scores may be off by {error} of their sizes, more than {tolerance}: do not rely on this. Allow more steps."
)
INCOMPLETE = gettext_noop(
    "scores miss their sum by {miss}, more than {allowed}: do not rely on this. Allow more steps."
)
NOISY = gettext_noop(
    "the standard error of the scores is {error} of their size, more than {target}: another run may rank the words "
    "differently, so do not rely on this"
)
NOTES = (ROUGH, INCOMPLETE, NOISY)
_VALUE = re.compile(r"\\\{(\w+)\\\}")


def noisy(error: float, target: float) -> str:
    """The note on sampled scores whose relative standard error is above its target."""
    return NOISY.format(error=f"{error:.0%}", target=f"{target:.0%}")


def template_of(note: str, templates: Iterable[str]) -> tuple[str, dict[str, str]] | None:
    """The template that a note was made from, with its values; None where it is none of `templates`.

    >>> template_of("layer 3 of 8", ["head {head}", "layer {layer} of {layers}"])
    ('layer {layer} of {layers}', {'layer': '3', 'layers': '8'})
    """
    for template in templates:
        found = re.fullmatch(_VALUE.sub(r"(?P<\1>.+?)", re.escape(template)), note, re.DOTALL)
        if found:
            return template, found.groupdict()
    return None
