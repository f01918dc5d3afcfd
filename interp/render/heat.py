"""The heat map: the whole prompt as the model read it, coloured by word or by sentence, without a script."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

Document = Mapping[str, Any]
STRONG = 0.5  # of the largest score: these words are underlined as well
FAINT = 0.02  # of the largest score: below it no colour can be seen
NAMES = {
    "prompt": "Prompt",
    "earlier": "Earlier in the conversation",
    "completion_a": "Answer A",
    "completion_b": "Answer B",
}


def maps(document: Document, number: int) -> str:
    """Both maps of a document with a switch between them; `number` tells the documents of a page apart."""
    words = _map(document, [(one["score"], (at, at)) for at, one in enumerate(document["words"])])
    told = document.get("sentences") or []
    if not all("words" in one for one in told) or not told:
        return words
    sentences = _map(document, [(one["score"], tuple(one["words"])) for one in told])
    return (
        '<div class="maps">'
        + "".join(
            f'<input type="radio" name="per-{number}" id="per-{kind}-{number}" class="per-{kind}"{checked}>'
            f'<label for="per-{kind}-{number}">by {kind}</label>'
            for kind, checked in (("word", " checked"), ("sentence", ""))
        )
        + f'<div class="by-word">{words}</div><div class="by-sentence">{sentences}</div></div>'
    )


def heading(document: Document, segment: str | None) -> str:
    """Who says a segment."""
    if segment is None:
        return "Instructions to the judge"
    who = document.get("models", {}).get(segment)
    return NAMES.get(segment, segment) + (f": {who}" if who else "")


def coloured(text: str, score: float, reach: float) -> str:
    """A word or sentence on its colour; the space before it stays plain."""
    strength = abs(score) / reach if reach else 0.0
    if strength < FAINT:
        return html.escape(text)
    space = text[: len(text) - len(text.lstrip())]
    kind = ("a" if score > 0 else "b") + (" strong" if strength >= STRONG else "")
    look = f'class="w {kind}" style="--s:{strength:.2f}" title="{score:+.3f}"'
    return f"{html.escape(space)}<span {look}>{html.escape(text.lstrip())}</span>"


def _map(document: Document, parts: Sequence[tuple[float, Any]]) -> str:
    """The text with each (score, (first word, last word)) on its colour."""
    words, between = document["words"], document.get("between")
    reach = max((abs(score) for score, _ in parts), default=0.0)
    shown = []
    for segment, some in groupby(parts, key=lambda part: words[part[1][0]]["segment"]):
        inside = list(some)
        before = between[inside[0][1][0]] if between else ""
        said = "".join(coloured(_joined(document, first, last), score, reach) for score, (first, last) in inside)
        shown.append(
            f"{_template(before)}<h3>{html.escape(heading(document, segment))}</h3><p class='text'>{said}</p>"
        )
    return "".join(shown) + _template(between[-1] if between else "")


def _joined(document: Document, first: int, last: int) -> str:
    """Words first to last, with what lies between them."""
    words, between = document["words"], document.get("between")
    return "".join(
        (between[at] if between and at > first else "") + words[at]["text"] for at in range(first, last + 1)
    )


def _template(text: str) -> str:
    """What the template says: read by the model, attributed to nobody."""
    return f'<p class="text template">{html.escape(text.strip())}</p>' if text.strip() else ""
