"""An explanation as HTML that needs nothing else: no script, no font, no network.

Colors say what underlines, signs and tables say too: blue and a line for A, orange and dots for B.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from interp.document import Explanation, Word
from interp.render.convergence import convergence
from interp.render.graphs import curves_svg, flow_svg, heads_svg
from interp.render.heat import heading, maps, pieces, segment_name
from interp.render.templates import rendered
from interp.texts import Translate, gettext_noop, translated

TOP = 12  # rows of the table of words
OUTCOMES = {"model_a": "A", "model_b": "B", "tie": gettext_noop("a tie"), "both_bad": gettext_noop("both bad")}
HEAD_MEASURES = {"gradient": gettext_noop("gradient"), "ablation": gettext_noop("ablation")}


def page(documents: Sequence[Explanation], title: str = "Explanation") -> Markup:
    """A whole HTML page of one explanation, or of several side by side."""
    return rendered("page.html", **_values(documents, title, "h1"), style=style())


def style() -> str:
    """The style sheet that `fragment` needs."""
    return files("interp").joinpath("static", "explained.css").read_text(encoding="utf-8")


def fragment(
    documents: Sequence[Explanation], title: str = "Explanation", tag: str = "h1", translate: Translate = str
) -> Markup:
    """The explanations without the page around them, for a page that has `style`. `tag` is that of the heading.

    `translate` gives the texts of the page's language for the English ones, with the same {named} values.
    """
    with translated(translate):
        return rendered("explanation.html", **_values(documents, title, tag))


def _values(documents: Sequence[Explanation], title: str, tag: str) -> dict[str, Any]:
    first = documents[0]
    preferred = "completion_a" if first.verdict and first.verdict.content > 0 else "completion_b"
    return {
        "title": title,
        "tag": tag,
        "first": first,
        "preferred": heading(first, preferred),
        "outcomes": OUTCOMES,
        "measures_of_heads": HEAD_MEASURES,
        "cards": [_card(document) for document in documents],
        "heads": heads_svg(first.heads) if first.heads else None,
        "flow": flow_svg(first.flow) if first.flow else None,
    }


def _card(document: Explanation) -> dict[str, Any]:
    report = document.faithfulness
    return {
        "document": document,
        "curves": curves_svg(report.curve) if report and report.curve else None,
        "convergence": convergence(document),
        "maps": maps(document),
        "sentences": pieces([(sentence.text, sentence.score) for sentence in document.sentences or ()]),
        "strongest": _strongest(document.words),
    }


def _strongest(words: Sequence[Word]) -> list[tuple[Word, str]]:
    """The words with the largest scores, and the names of their segments."""
    ranked = sorted(words, key=lambda word: -abs(word.score))
    return [(word, segment_name(word.segment)) for word in ranked[:TOP]]
