"""The course of methods that are refined step by step, or that have a known sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    return [*(name + line for name, line in lines if line), *_sampling(document), *_sum(document)]


def _sampling(document: Explanation) -> Iterator[str]:
    """The standard error of sampled scores."""
    parameters = document.parameters
    if parameters.get("standard_error") is not None:
        yield _(
            "the standard error of the scores is {error:.0%} of their size after {rounds} rounds (target {target:.0%})",
            error=parameters["standard_error"],
            rounds=parameters["rounds"],
            target=parameters["target_error"],
        )


def _sum(document: Explanation) -> Iterator[str]:
    """What the scores of a complete method sum to, with the part of the text that they are compared with."""
    parameters = document.parameters
    if "rest" in parameters:
        values = {
            "sum": parameters["sum"],
            "rest": parameters["rest"],
            "whole": parameters["sum"] + parameters["rest"],
        }
        if orders_of(document):
            yield _("the scores sum to {sum:+.3f}, the baseline has {rest:+.3f}: together {whole:+.3f}", **values)
        else:
            yield _("the scores sum to {sum:+.3f}, no words have {rest:+.3f}: together {whole:+.3f}", **values)


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
