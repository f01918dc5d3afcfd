"""Style of completions: how long, how many headers, lists and bold runs; and their difference in a battle.

    z = (f_A - f_B) / (f_A + f_B + 1),  then divided by its standard deviation over the battles

Source: the public arena's style control (blog of 2024-08-29). Fenced code blocks are left out of the counts
of headers, lists and bold, since a comment in code is no headline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ratings.data.columns import same_length
from ratings.data.counts import Floats
from ratings.errors import BadOption, MissingValue

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_HEADER = re.compile(r"^ {0,3}#{1,6}\s", re.MULTILINE)
_LIST = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")

STYLE_FEATURES = ("length", "headers", "lists", "bold")


def style_counts(completions: Sequence[str] | Iterable[str]) -> dict[str, Floats]:
    """Features (completions,) of each text: `length` in words, `headers` h1 to h6, `lists` items ordered or
    not, `bold` runs. Raises MissingValue with the row for what is no text.
    """
    rows = []
    for row, text in enumerate(completions):
        if not isinstance(text, str):
            raise MissingValue(f"row {row}: the completion is {text!r}; style control reads texts")
        prose = _CODE.sub("", text)
        rows.append([len(text.split()), *(len(mark.findall(prose)) for mark in (_HEADER, _LIST, _BOLD))])
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(STYLE_FEATURES))
    return dict(zip(STYLE_FEATURES, table.T, strict=True))


def style_differences(
    features_a: Mapping[str, Sequence[float] | Floats], features_b: Mapping[str, Sequence[float] | Floats]
) -> dict[str, Floats]:
    """The z (battles,) of each feature of both sides, any features that are not negative.

    Divided by the standard deviation but not centred: two completions of one style differ by exactly zero.
    A feature that never differs is left out, and one that those before it determine: neither has a coefficient
    of its own. Raises BadOption when the sides have
    other features or a value is negative or missing.
    """
    if set(features_a) != set(features_b):
        raise BadOption(f"side A has features {sorted(features_a)}, side B {sorted(features_b)}")
    differences: dict[str, Floats] = {}
    for name in features_a:
        a = np.asarray(features_a[name], dtype=np.float64)
        b = np.asarray(features_b[name], dtype=np.float64)
        same_length(a=a, b=b)
        wrong = ~((a >= 0) & (b >= 0))
        if wrong.any():
            raise BadOption(f"row {int(np.argmax(wrong))}: {name} is negative or missing; a count is not")
        z = (a - b) / (a + b + 1)
        spread = float(z.std())
        if spread > 0 and not _determined(z / spread, list(differences.values())):
            differences[name] = z / spread
    return differences


def _determined(z: Floats, others: list[Floats]) -> bool:
    """Whether z is, to rounding, a sum of the others."""
    if not others:
        return False
    columns = np.stack(others, axis=1)
    explained = columns @ np.linalg.lstsq(columns, z, rcond=None)[0]
    return bool(np.abs(z - explained).max() < 1e-6)
