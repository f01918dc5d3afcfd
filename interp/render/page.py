"""An explanation as HTML that needs nothing else: no script, no font, no network.

Colors say what underlines, signs and tables say too: blue and a line for A, orange and dots for B, grey for scores
without a sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from interp.document import Explanation, Word
from interp.render.comparison import agreement
from interp.render.convergence import convergence
from interp.render.graphs import curves_svg, flow_svg, heads_svg
from interp.render.heat import Scale, heading, is_signed, maps, pieces, scales, segment_name
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
    scale = scales(documents)
    cards = [_card(document, its) for document, its in zip(documents, scale, strict=True)]
    subjects = _distinct(
        documents, lambda document: (document.judge, document.about, document.verdict, document.answer)
    )
    pictures = _distinct(documents, lambda document: (document.judge, document.about, document.heads_by))
    return {
        "title": title,
        "tag": tag,
        "first": documents[0],
        "common": len(subjects) == 1,
        "outcomes": OUTCOMES,
        "measures_of_heads": HEAD_MEASURES,
        "cards": cards,
        "agreement": agreement(documents),
        "pictures": [
            {
                "document": document,
                "heads": heads_svg(document.heads) if document.heads else None,
                "flow": flow_svg(document.flow) if document.flow else None,
            }
            for document in pictures
        ],
    }


def _distinct(documents: Sequence[Explanation], key: Callable[[Explanation], object]) -> list[Explanation]:
    """The documents without later ones of an equal key."""
    distinct: list[Explanation] = []
    keys: list[object] = []
    for document in documents:
        if key(document) not in keys:
            keys.append(key(document))
            distinct.append(document)
    return distinct


def _card(document: Explanation, scale: Scale) -> dict[str, Any]:
    report, signed = document.faithfulness, is_signed(document)
    sentences = [(sentence.text, sentence.score) for sentence in document.sentences or ()]
    preferred = document.verdict.preferred if document.verdict else None
    return {
        "document": document,
        "preferred": heading(document, preferred) if preferred else None,
        "hidden": document.verdict is not None and preferred is None,
        "curves": curves_svg(report.curve) if report and report.curve else None,
        "convergence": convergence(document),
        "maps": maps(document, scale),
        "scale": scale,
        "signed": signed,
        "sentences": pieces(sentences, scale.sentence, signed=signed),
        "strongest": _strongest(document.words),
    }


def _strongest(words: Sequence[Word]) -> list[tuple[Word, str]]:
    """The words with the largest scores, and the names of their segments."""
    ranked = sorted(words, key=lambda word: -abs(word.score))
    return [(word, segment_name(word.segment)) for word in ranked[:TOP]]
