"""Parts that must be there: placeholders and a postscript."""

from __future__ import annotations

import re

from benchmarks.instructions.relation import Arguments, argument

POSTSCRIPTS = {
    "P.P.S": r"\s*p\.\s?p\.\s?s.*$",
    "P.S.": r"\s*p\.\s?s\..*$",
}


def number_placeholders(text: str, arguments: Arguments) -> bool:
    """Whether the text has at least N placeholders in square brackets."""
    return len(re.findall(r"\[.*?\]", text)) >= int(argument(arguments, "num_placeholders"))


def postscript(text: str, arguments: Arguments) -> bool:
    """A line has the marker, in any case and with spaces after its dots."""
    marker = str(argument(arguments, "postscript_marker"))
    pattern = POSTSCRIPTS.get(marker, rf"\s*{marker.lower()}.*$")
    return bool(re.search(pattern, text.lower(), re.MULTILINE))
