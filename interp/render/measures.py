"""What is said beside a heat map: faithfulness with its curves, convergence, and what would flip the verdict."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from interp.evaluation.faithfulness import BEATS
from interp.render.graphs import curves_svg

Document = Mapping[str, Any]


def measured(figures: Mapping[str, Any] | None) -> str:
    """The badge, the curves of deletion and insertion, and the figures behind them."""
    if figures is None:
        return '<p class="soft">Faithfulness was not measured.</p>'
    good = figures["verdict"] == BEATS
    curve = figures.get("curve")
    return (
        f'<p>Faithfulness: <span class="badge {"good" if good else "bad"}">{"✓" if good else "✗"} '
        f"{_(figures['verdict'])}</span> <span class='soft'>p = {figures['p']:.3f} against "
        f"{figures['rankings']} rankings by chance</span></p>"
        + (f"<div class='wide'>{curves_svg(curve)}</div>" if curve else "")
        + f"<details><summary>the figures</summary>{_figures(figures)}</details>"
    )


def _figures(measured: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{name}</td><td>{one['value']:+.3f}</td><td>{one['random']:+.3f}</td>"
        f"<td>{'–' if one['z'] is None else format(one['z'], '+.1f')}</td></tr>"
        for name, one in (
            ("comprehensiveness", measured["comprehensiveness"]),
            ("sufficiency (small is good)", measured["sufficiency"]),
            ("MoRF–LeRF gap", measured["gap"]),
        )
    )
    more = "".join(
        f"<tr><td>{name}</td><td>{measured[key]:.3f}</td><td>{chance}</td><td></td></tr>"
        for key, name, chance in (
            ("infidelity", "infidelity (0 is exact, 1 no better than zeros)", "1"),
            ("sensitivity", "sensitivity (change when embeddings move by 2 %)", "–"),
        )
        if measured.get(key) is not None
    )
    return (
        "<table class='figures'><thead><tr>"
        "<th scope='col'>hiding words</th><th scope='col'>here</th><th scope='col'>by chance</th>"
        f"<th scope='col'>z</th></tr></thead><tbody>{rows}{more}</tbody></table>"
    )


def convergence(document: Document) -> str:
    """Of a method that is refined step by step its error after each; of one that promises a sum what it misses."""
    orders = document.get("parameters", {}).get("orders") or []
    lines = []
    for name, one in zip(("A first", "B first") if len(orders) > 1 else ("",), orders, strict=False):
        if one.get("errors"):
            rounds = ", ".join(f"{steps} gradients: {error:.1%}" for steps, error in one["errors"])
            lines.append(
                f"{name + ': ' if name else ''}{rounds} (the sum is {one['change']:+.3f}; baseline {one['baseline']})"
            )
        elif one.get("delta") is not None:
            lines.append(f"{name + ': ' if name else ''}the scores miss their sum by {one['delta']:.3f}")
    items = "".join(f"<li>{_(line)}</li>" for line in lines)
    return (
        f"<h3>Convergence: estimated error of the scores</h3><ul class='soft notes'>{items}</ul>" if lines else ""
    )


def flips(document: Document) -> str:
    """The smallest deletion and the smallest replacement."""
    deletion, replacement = document.get("counterfactual"), document.get("replacement")
    told = (_deletion(document, deletion) if deletion else "") + (_replacement(replacement) if replacement else "")
    return f"<h3>What would flip it</h3>{told}" if told else ""


def _deletion(document: Document, flip: Mapping[str, Any]) -> str:
    if not flip["flipped"]:
        return (
            "<p class='soft'>No deletion of the words that support the verdict flips "
            f"it; the nearest leaves {flip['after']:+.3f} of {flip['before']:+.3f}.</p>"
        )
    words = "".join(f"<del>{_(document['words'][unit]['text'].strip())}</del> " for unit in flip["removed"])
    count = len(flip["removed"])
    return (
        f"<p>Without {count} word{'' if count == 1 else 's'} the judge prefers the "
        f"other answer ({flip['before']:+.3f} becomes {flip['after']:+.3f}): {words}</p>"
    )


def _replacement(flip: Mapping[str, Any]) -> str:
    if not flip["flipped"]:
        return (
            "<p class='soft'>No replacement that was tried flips it; the nearest leaves "
            f"{flip['after']:+.3f} of {flip['before']:+.3f}.</p>"
        )
    words = ", ".join(f"<del>{_(old)}</del> <ins>{_(new)}</ins>" for _unit, old, new in flip["replaced"])
    count = len(flip["replaced"])
    return (
        f"<p>With {count} word{'' if count == 1 else 's'} replaced it prefers the other answer "
        f"({flip['before']:+.3f} becomes {flip['after']:+.3f}): {words}</p>"
    )


def _(text: object) -> str:
    return html.escape(str(text))
