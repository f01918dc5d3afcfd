"""An explanation as HTML that needs nothing else: no script, no font, no network.

A document is plain data, as JSON holds it; every part but `method` and `words` may be missing:

    method      its name;  `judge` and `target` likewise
    words       [{"segment", "text", "score"}], positive for the first side;  `sentences` the same
    models      {segment: the name of who wrote it}
    verdict     {"content", "bias", "orders": [f_AB, f_BA], "consistent"}
    faithfulness  what `Faithfulness.to_dict` gives
    counterfactual  what `Counterfactual.to_dict` gives, its units the words
    heads       layers x heads, signed;  flow: see `interp.graphs.flow_svg`
    votes       [{"source", "winner"}];  notes: texts

Colours say what underlines, signs and tables say too: blue and a line for A, orange and dots for B.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from typing import Any

import numpy as np

from interp.attribution import Attribution
from interp.faithfulness import BEATS
from interp.graphs import flow_svg, heads_svg

Document = Mapping[str, Any]
STRONG = 0.5  # of the largest score: these words are underlined as well
TOP = 12  # rows of the table of words
NAMES = {"prompt": "Prompt", "completion_a": "Answer A", "completion_b": "Answer B"}
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


def fragment(documents: Sequence[Document], title: str = "Explanation") -> str:
    """The same without the page around it, for a page that has `style`."""
    first = documents[0]
    cards = "".join(f'<section class="card">{_card(one)}</section>' for one in documents)
    return (
        f'<article class="explained"><h1>{_(title)}</h1>{_verdict(first)}{_notes(first)}{_key(first)}'
        f'<div class="sides">{cards}</div>{_inside(first)}</article>'
    )


def document(attribution: Attribution) -> dict[str, Any]:
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
    if attribution.faithfulness is not None:
        told["faithfulness"] = attribution.faithfulness.to_dict()
    return told


def _(text: object) -> str:
    return html.escape(str(text))


def _name(document: Document, segment: str | None) -> str:
    if segment is None:
        return "Instructions to the judge"
    who = document.get("models", {}).get(segment)
    return NAMES.get(segment, segment) + (f": {who}" if who else "")


def _verdict(document: Document) -> str:
    """Who is preferred, and the two bars: what the answers say and what their place says."""
    verdict = document.get("verdict")
    if verdict is None:
        return f'<p class="soft">{_(document.get("target", ""))}</p>'
    content, bias = verdict["content"], verdict["bias"]
    side = "A" if content > 0 else "B"
    who = _name(document, f"completion_{side.lower()}")
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
        "content alone.</p>"
    )


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
        "<span>the deeper the colour, the more the judge&#8217;s preference hangs on the word</span></p>"
    )


def _card(document: Document) -> str:
    reach = max((abs(word["score"]) for word in document["words"]), default=0.0)
    texts = "".join(
        f"<h3>{_(_name(document, segment))}</h3><p class='text'>{''.join(_word(w, reach) for w in words)}</p>"
        for segment, words in groupby(document["words"], key=lambda word: word["segment"])
    )
    return (
        f"<h2>Method: {_(document['method'])}</h2>{_faithfulness(document.get('faithfulness'))}{texts}"
        f"{_flip(document)}{_sentences(document)}{_words(document)}"
    )


def _word(word: Mapping[str, Any], reach: float) -> str:
    text, score = word["text"], word["score"]
    strength = abs(score) / reach if reach else 0.0
    if strength < 0.02:
        return _(text)
    space = text[: len(text) - len(text.lstrip())]
    kind = ("a" if score > 0 else "b") + (" strong" if strength >= STRONG else "")
    look = f'class="w {kind}" style="--s:{strength:.2f}" title="{score:+.3f}"'
    return f"{_(space)}<span {look}>{_(text.lstrip())}</span>"


def _faithfulness(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return '<p class="soft">Faithfulness was not measured.</p>'
    good = measured["verdict"] == BEATS
    rows = "".join(
        f"<tr><td>{name}</td><td>{one['value']:+.3f}</td><td>{one['random']:+.3f}</td>"
        f"<td>{'–' if one['z'] is None else format(one['z'], '+.1f')}</td></tr>"
        for name, one in (
            ("comprehensiveness", measured["comprehensiveness"]),
            ("sufficiency (small is good)", measured["sufficiency"]),
            ("MoRF–LeRF gap", measured["gap"]),
        )
    )
    return (
        f'<p>Faithfulness: <span class="badge {"good" if good else "bad"}">{"✓" if good else "✗"} '
        f"{_(measured['verdict'])}</span> <span class='soft'>p = {measured['p']:.3f} against "
        f"{measured['rankings']} rankings by chance</span></p>"
        "<details><summary>the figures</summary><table class='figures'><thead><tr>"
        "<th scope='col'>hiding words</th><th scope='col'>here</th><th scope='col'>by chance</th>"
        "<th scope='col'>z</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></details>"
    )


def _flip(document: Document) -> str:
    flip = document.get("counterfactual")
    if flip is None:
        return ""
    if not flip["flipped"]:
        return (
            "<h3>What would flip it</h3><p class='soft'>No deletion of the words that support the verdict flips "
            f"it; the nearest leaves {flip['after']:+.3f} of {flip['before']:+.3f}.</p>"
        )
    words = "".join(f"<del>{_(document['words'][unit]['text'].strip())}</del> " for unit in flip["removed"])
    count = len(flip["removed"])
    return (
        f"<h3>What would flip it</h3><p>Without {count} word{'' if count == 1 else 's'} the judge prefers the "
        f"other answer ({flip['before']:+.3f} becomes {flip['after']:+.3f}): {words}</p>"
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
            f"<tr><td>{_word({'text': one['text'], 'score': one['score']}, reach)}</td>"
            f"<td>{one['score']:+.3f}</td></tr>"
            for one in sentences
        )
        + "</tbody></table></details>"
    )


def _words(document: Document) -> str:
    words = document["words"]
    strongest = np.argsort([-abs(word["score"]) for word in words], kind="stable")[:TOP]
    rows = "".join(
        f"<tr><td>{_(words[place]['text'].strip())}</td><td>{_(_name({}, words[place]['segment']))}</td>"
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
            "<p class='soft'>What the contrast owes to each head, the first layer on top.</p>"
            f"<div class='wide'>{heads_svg(document['heads'])}</div>"
        )
    if document.get("flow"):
        parts += (
            "<h2>Attention on its way to the verdict</h2>"
            "<p class='soft'>What reaches the place of the verdict from each sentence, layer by layer; "
            "the first layer is at the bottom.</p>"
            f"<div class='wide'>{flow_svg(document['flow'])}</div>"
        )
    return parts
