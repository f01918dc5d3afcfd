"""AlpacaEval: every model against one baseline, with preferences between 1 (baseline) and 2 (model).

The judge names the better of two models, shown as "m" first and "M" second, in one token. Its preference is

    2 - p(m),    p(m) = exp(l_m) / (exp(l_m) + exp(l_M))

from the log-probabilities of these two tokens, and 3 minus that where the outputs were shown in the other
order. Source: Dubois et al., Length-controlled AlpacaEval, arXiv 2404.04475.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from judges.columns import field
from judges.errors import BadRow, NoVerdicts
from judges.replies import Reason, Unparsable, is_refusal
from judges.tokens import alternatives, scored_tokens

FIRST, SECOND = "m", "M"  # names in the prompt of the outputs shown first and second
DRAW = 1.5
LEGACY_DRAW, MISSING = 0, -1  # in older files


@dataclass(frozen=True)
class WinRate:
    """Win rate of a model against the baseline; rates and errors in percent, `missing` rows without a verdict."""

    win_rate: float
    standard_error: float
    n_wins: int
    n_draws: int
    n_total: int
    missing: int


def preference_of_tokens(top: Iterable[Mapping[str, Any]], *, switched: bool) -> float | Unparsable:
    """The preference in [1, 2] from `top_logprobs` of the judge's one token, or NONE without "m" and "M".

    A token that is not among the top ones has probability 0. `top` has `token` and `logprob` in each entry.
    """
    logprob = {entry["token"]: float(entry["logprob"]) for entry in top if entry["token"] in (FIRST, SECOND)}
    if not logprob:
        return Unparsable(Reason.NONE)
    lead = logprob.get(FIRST, -math.inf) - logprob.get(SECOND, -math.inf)
    preference = 2.0 - float(expit(lead))
    return 3.0 - preference if switched else preference


def verdict(reply: Mapping[str, Any], *, switched: bool) -> float | Unparsable:
    """The preference of a chat completion body of one token with its log-probabilities; EMPTY without these."""
    if is_refusal(reply):
        return Unparsable(Reason.REFUSED)
    content = scored_tokens(reply)
    if len(content) != 1:  # thinking, or text around the letter: `judges.tokens.preference` finds it
        return Unparsable(Reason.EMPTY)
    return preference_of_tokens(alternatives(content[0]), switched=switched)


def preferences(annotations: Sequence[Mapping[str, Any]]) -> list[float | None]:
    """The stored preference of each row, in [1, 2]; None where the judge gave no verdict (null or -1).

    A draw is 1.5, or 0 in older files. Raises BadRow with the row of anything else.
    """
    return [_preference(field(row, number, "preference"), number) for number, row in enumerate(annotations)]


def _preference(value: object, row: int) -> float | None:
    if value is None or value == MISSING:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRow(
            f"row {row}: preference {value!r} is not a number. Expected 1 (baseline) to 2 (model), 1.5 for a draw."
        )
    if isinstance(value, float) and math.isnan(value):  # some JSON writers store a missing value as NaN
        return None
    if value == LEGACY_DRAW:
        return DRAW
    if not 1 <= value <= 2:
        raise BadRow(
            f"row {row}: preference {value!r} is out of range. Expected 1 (baseline) to 2 (model), or 0 or 1.5 for a draw."
        )
    return float(value)


def win_rate(given: Sequence[float | None]) -> WinRate:
    """Mean preference for the model, in percent, over the rows with a verdict.

    With y = preference - 1: win rate 100 mean(y), standard error 100 sd(y) / sqrt(n), wins y > 1/2, draws
    y = 1/2. Raises NoVerdicts when no row has one.
    """
    y = np.array([value - 1 for value in given if value is not None])
    if not y.size:
        raise NoVerdicts(f"None of {len(given)} rows has a preference. Check that the judge could be reached.")
    return WinRate(
        win_rate=100 * float(y.mean()),
        standard_error=100 * float(y.std(ddof=1) / math.sqrt(len(y))) if len(y) > 1 else math.nan,
        n_wins=int((y > 0.5).sum()),
        n_draws=int((y == 0.5).sum()),
        n_total=len(y),
        missing=len(given) - len(y),
    )


def against_itself(rows: int) -> WinRate:
    """The baseline's win rate against itself: every row a draw."""
    return win_rate([DRAW] * rows)
