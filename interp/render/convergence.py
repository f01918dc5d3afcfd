"""The course of methods that are refined step by step, or that have a known sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interp.document import Explanation
from interp.texts import gettext as _

Order = Mapping[str, Any]


def orders_of(document: Explanation) -> Sequence[Order]:
    """The parameters that a white-box method recorded of each order; empty for a black-box method.

    Sampled Shapley values have a parameter of the same name, the number of random orders.
    """
    orders = document.parameters.get("orders")
    return orders if isinstance(orders, list) else []


def convergence_rounds(order: Order) -> str:
    """The estimated error after each round of gradients; empty for a method that is not refined."""
    return ", ".join(
        _("{count} gradients: {error:.1%}", count=steps, error=error) for steps, error in order.get("errors") or []
    )


def convergence(document: Explanation) -> list[str]:
    """A line an order: the error after each round, or how far the scores miss their sum."""
    orders = orders_of(document)
    names = [_("A first:") + " ", _("B first:") + " "] if len(orders) > 1 else [""]
    lines = [(name, _line(order)) for name, order in zip(names, orders, strict=False)]
    return [name + line for name, line in lines if line]


def _line(order: Order) -> str:
    if order.get("errors"):
        return _(
            "{rounds} (the sum is {change:+.3f}; baseline {baseline})",
            rounds=convergence_rounds(order),
            change=order["change"],
            baseline=order["baseline"],
        )
    if order.get("delta") is not None:
        return _("the sum of the scores is off by {amount:.3f}", amount=order["delta"])
    return ""
