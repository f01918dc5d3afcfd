"""Edits of the texts that flip the content of a verdict, with what they change in either order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from arena.explaining.judge_values import VerdictValue
from arena.explaining.stages import Stages
from arena.rules.messages import gettext_noop
from interp import (
    WHITE_BOX,
    Floats,
    OrderChange,
    single_deletions,
    smallest_deletion,
    smallest_replacement,
)


def is_signed(method: str) -> bool:
    """True if the scores of this method name a side."""
    return method not in WHITE_BOX or WHITE_BOX[method].signed


def flip_parts(verdict: VerdictValue, name: str, scores: Floats, stages: Stages) -> dict[str, Any]:
    """The smallest deletion and the smallest replacement found that flip the verdict."""
    stages.begin(gettext_noop("searching for what would flip the verdict"))
    texts = [word.text.strip() for word in verdict.prompts[0].words]
    content = verdict.both_orders.content
    deletion = smallest_deletion(content, scores, signed=is_signed(name))
    replacement = smallest_replacement(verdict.edited, texts, scores, signed=is_signed(name))
    kept = np.ones((2, len(texts)), dtype=bool)
    kept[1, list(deletion.removed)] = False
    edits = {unit: word for unit, _, word in replacement.replaced}
    return {
        "counterfactual": replace(
            deletion,
            orders=_order_changes(verdict.both_orders.both(kept)),
            singles=single_deletions(content, len(texts)),
        ),
        "replacement": replace(replacement, orders=_order_changes(verdict.both_edited([{}, edits]))),
    }


def _order_changes(values: tuple[Floats, Floats]) -> tuple[OrderChange, OrderChange]:
    """f of either order before and after an edit, from (before, after) of each."""
    first, second = (OrderChange(*order.tolist()) for order in values)
    return first, second
