"""An explanation as HTML that needs nothing else: no script, no font, no network.

A document is plain data, as JSON holds it; every part but `method` and `words` may be missing:

    method      its name;  `judge` and `target` likewise
    words       [{"segment", "text", "score"}], positive for the first side
    between     the template before each word and after the last;  sentences  the same as words, with `words`,
                the numbers of their first and last word
    models      {segment: the name of who wrote it}
    verdict     {"content", "bias", "orders": [f_AB, f_BA], "consistent"}
    faithfulness  what `Faithfulness.to_dict` gives
    counterfactual  what `Counterfactual.to_dict` gives, its units the words;  replacement: `Replacement.to_dict`
    answer      of a model's own answer: {"side", "text", "gain", "tokens", "samples", …}
    heads       layers x heads, signed;  flow: see `interp.render.graphs.flow_svg`
    votes       [{"source", "winner"}];  notes: texts

Colours say what underlines, signs and tables say too: blue and a line for A, orange and dots for B.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from interp.attribution import Attribution
from interp.evaluation.faithfulness import Faithfulness
from interp.render.graphs import flow_svg, heads_svg
from interp.render.heat import coloured, heading, maps
from interp.render.measures import convergence, flips, measured
from interp.render.own_answer import answer

Document = Mapping[str, Any]
TOP = 12  # rows of the table of words
SPOKEN = {"model_a": "A", "model_b": "B", "tie": "a tie", "both_bad": "both bad"}


def page(documents: Sequence[Document], title: str = "Explanation") -> str:
    """A whole HTML page of one explanation, or of several side by side."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{_(title)}</title><style>{style()}</style></head>'
        f'<body class="alone"><main>{fragment(documents, title)}</main></body></html>'
    )


def style() -> str:
    """The style sheet that `fragment` needs."""
    return files("interp").joinpath("static", "explained.css").read_text(encoding="utf-8")


def fragment(documents: Sequence[Document], title: str = "Explanation", tag: str = "h1") -> str:
    """The same without the page around it, for a page that has `style`; its heading is an h2 where that has an h1."""
    first = documents[0]
    cards = "".join(f'<section class="card">{_card(one, at)}</section>' for at, one in enumerate(documents))
    return (
        f'<article class="explained"><{tag}>{_(title)}</{tag}>{_verdict(first)}{_notes(first)}{_key(first)}'
        f'<div class="sides">{cards}</div>{_inside(first)}</article>'
    )


def document(attribution: Attribution, faithfulness: Faithfulness | None = None) -> dict[str, Any]:
    """An attribution, over whatever units it has, as a document: for a notebook or a file."""
    told: dict[str, Any] = {
        "method": attribution.method,
        "target": attribution.target,
        "parameters": dict(attribution.parameters),
        "words": [
            {"segment": unit.segment, "text": unit.text, "score": float(score)}
            for unit, score in zip(attribution.units, attribution.scores, strict=True)
        ],
        "notes": list(attribution.notes),
    }
    if faithfulness is not None:
        told["faithfulness"] = faithfulness.to_dict()
    return told


def _(text: object) -> str:
    return html.escape(str(text))


def _verdict(document: Document) -> str:
    """Who is preferred, and the two bars: what the answers say and what their place says."""
    verdict = document.get("verdict")
    if document.get("answer"):
        return answer(document)
    if verdict is None:
        return f'<p class="soft">{_(document.get("target", ""))}</p>'
    content, bias = verdict["content"], verdict["bias"]
    side = "A" if content > 0 else "B"
    who = heading(document, f"completion_{side.lower()}")
    decides = (
        "Both orders name the same answer."
        if verdict["consistent"]
        else "The order decides: with the answers swapped, this judge names the other one."
    )
    reach = max(abs(content), abs(bias), 1e-9)
    people = ", ".join(
        f"{_(v['source'])}: {SPOKEN.get(v['winner'], v['winner'])}" for v in document.get("votes", [])
    )
    return (
        f"<p>By their content, <strong>{_(document.get('judge', 'the judge'))}</strong> prefers "
        f"<strong>{_(who)}</strong>. {decides}"
        + (f' <span class="soft">Votes: {people}.</span>' if people else "")
        + "</p>"
        + '<div class="bar"><span></span><span class="ends"><span>← A, first place</span>'
        "<span>B, second place →</span></span></div>"
        + _bar("Content", content, reach, "a" if content > 0 else "b", "for A", "for B")
        + _bar("Position bias", bias, reach, ("a" if bias > 0 else "b") + " place", "first place", "second place")
        + '<p class="soft">In logits; half the difference and half the sum of the two orders. '
        f"f(AB) = {verdict['orders'][0]:+.2f}, f(BA) = {verdict['orders'][1]:+.2f}. The words below explain the "
        f"content alone.{_sure(verdict)}</p>"
    )


def _sure(verdict: Mapping[str, Any]) -> str:
    """How open the letter was, of one bit."""
    entropy = verdict.get("entropy")
    return f" Entropy of the letter: {entropy[0]:.2f} and {entropy[1]:.2f} bits of 1." if entropy else ""


def _bar(name: str, value: float, reach: float, kind: str, positive: str, negative: str) -> str:
    says = positive if value > 0 else negative
    width = 50 * abs(value) / reach
    return (
        f'<div class="bar"><span>{name}</span>'
        f'<span class="track" role="img" aria-label="{name} {value:+.2f}, {says}">'
        f'<span class="fill {kind}" style="width:{width:.1f}%"></span></span>'
        f'<b title="{says}">{value:+.2f}</b></div>'
    )


def _notes(document: Document) -> str:
    notes = "".join(f"<li>{_(note)}</li>" for note in document.get("notes", []))
    return f'<ul class="notes">{notes}</ul>' if notes else ""


def _key(document: Document) -> str:
    first, second = ("for A", "for B") if "verdict" in document else ("for the target", "against it")
    return (
        f'<p class="key soft"><span class="w a strong" style="--s:1">{first}</span>'
        f'<span class="w b strong" style="--s:1">{second}</span>'
        "<span>the deeper the colour, the more hangs on the word</span></p>"
    )


def _card(document: Document, number: int) -> str:
    return (
        f"<h2>Method: {_(document['method'])}</h2>{measured(document.get('faithfulness'))}"
        f"{convergence(document)}{maps(document, number)}{flips(document)}{_sentences(document)}{_words(document)}"
    )


def _sentences(document: Document) -> str:
    sentences = document.get("sentences")
    if not sentences:
        return ""
    reach = max(max(abs(one["score"]) for one in sentences), 1e-12)
    return (
        "<details><summary>by sentence</summary><table class='figures'><thead><tr><th scope='col'>sentence</th>"
        "<th scope='col'>sum</th></tr></thead><tbody>"
        + "".join(
            f"<tr><td>{coloured(one['text'], one['score'], reach)}</td><td>{one['score']:+.3f}</td></tr>"
            for one in sentences
        )
        + "</tbody></table></details>"
    )


def _words(document: Document) -> str:
    words = document["words"]
    strongest = np.argsort([-abs(word["score"]) for word in words], kind="stable")[:TOP]
    rows = "".join(
        f"<tr><td>{_(words[place]['text'].strip())}</td><td>{_(heading({}, words[place]['segment']))}</td>"
        f"<td>{words[place]['score']:+.3f}</td></tr>"
        for place in strongest
    )
    return (
        "<details><summary>the strongest words</summary><table class='figures'><thead><tr>"
        "<th scope='col'>word</th>"
        f"<th scope='col'>in</th><th scope='col'>score</th></tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _inside(document: Document) -> str:
    """What the network itself shows: heads and attention flow, where weights were there."""
    parts = ""
    if document.get("heads"):
        parts += (
            "<h2>Attention heads</h2>"
            f"<p class='soft'>What the target owes to each head, by {_(document.get('heads_by', 'gradient'))}; the "
            "first layer on top, a column a head; blue speaks for A or the target, orange against.</p>"
            f"<div class='wide'>{heads_svg(document['heads'])}</div>"
        )
    if document.get("flow"):
        parts += (
            "<h2>Flow of attention</h2>"
            "<p class='soft'>What reaches the place where the next token is told from each sentence, level by level: the "
            "thicker the line, the more of its attention. The first layers are at the bottom.</p>"
            "<div class='wide flow' tabindex='0' role='region' aria-label='Flow of attention'>"
            f"{flow_svg(document['flow'])}</div>"
        )
    return parts
