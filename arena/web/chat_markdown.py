"""Completions and prompts for the chat widget: Markdown without HTML, images and diagrams, and with mathematics.

Nothing here asks what is code: rules that differ from the widget's own can be fooled. An invisible
word joiner inside each construct makes it plain text in either place, and `static/arena.js` takes the joiners out of what
is shown and copied. No tag, comment or `<http://…>` starts with `<` and a joiner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

JOINER = "\u2060"
DELIMITERS = (
    ("$$", "$$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
)  # of mathematics, in the order in which the widget looks

# An image; the language of a diagram, in which the widget obeys HTML; the widget's own placeholder for mathematics.
CONSTRUCTS = re.compile(r"!(?=\[)|m(?=ermaid)|%%%(?=LATEX_BLOCK)", re.IGNORECASE)
FENCE = re.compile(
    r"(?:`{3,}|~{3,})[^\r\n]*"
)  # the widget would put mathematics after it into the class of the code
OPENER = re.compile(r"\$(?=\$)|\\(?=[(\[])")


def as_markdown(text: str) -> str:
    """`text` with its HTML and diagrams shown as text, and images turned into links.

    The chat widget sanitises too; this is the first of two barriers.

    >>> as_markdown("<b>hi</b> `a<b`").replace(JOINER, "·")
    '<·b>hi<·/b> `a<·b`'
    """
    text = CONSTRUCTS.sub(_joined, FENCE.sub(lambda fence: OPENER.sub(_joined, fence[0]), text))
    parts, end = [], 0
    for first, last in _mathematics(text):
        parts += [text[end:first].replace("<", "<" + JOINER), _escaped(text[first:last])]
        end = last
    return "".join([*parts, text[end:].replace("<", "<" + JOINER)])


def _joined(found: re.Match[str]) -> str:
    return found[0] + JOINER


def _escaped(formula: str) -> str:
    """The widget copies mathematics into its HTML as they are, also into an attribute."""
    return formula.replace("<", "&lt;").replace('"', "&quot;")


def _mathematics(text: str) -> Iterator[tuple[int, int]]:
    """Where the widget takes mathematics out of `text` before it reads the Markdown, in order and without nested ones."""
    found: list[tuple[int, int]] = []
    for left, right in DELIMITERS:
        new, rest, end = list(_between(text, left, right)), [], 0
        for first, last in new:
            rest += [text[end:first], " " * (last - first)]
            end = last
        text = "".join([*rest, text[end:]])
        found += new
    end = 0
    for first, last in sorted(found):
        if first >= end:
            yield first, last
            end = last


def _between(text: str, left: str, right: str) -> Iterator[tuple[int, int]]:
    """What `left([\\s\\S]+?)right` matches, in linear time."""
    end = 0
    while (first := text.find(left, end)) >= 0 and (last := text.find(right, first + len(left) + 1)) >= 0:
        end = last + len(right)
        yield first, end
