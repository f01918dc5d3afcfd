"""Style features of completions (length, headers, lists, bold) and their differences in a battle.

    z = (f_A - f_B) / (f_A + f_B + 1),  then divided by its standard deviation over the battles

Source: the public arena's style control (blog of 2024-08-29). Fenced code blocks do not count for headers, lists and
bold, since a comment in code is no headline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ratings.data.columns import same_length
from ratings.data.counts import Floats
from ratings.data.numbers import numbers
from ratings.errors import BadOption, MissingValue

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_HEADER = re.compile(r"^ {0,3}#{1,6}\s", re.MULTILINE)
_LIST = re.compile(r"^[^\S\n]*+(?:[-*+]|\d+[.)])\s", re.MULTILINE)  # \s* would be quadratic in blank lines
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")

STYLE_FEATURES = ("length", "headers", "lists", "bold")


def style_counts(completions: Sequence[str] | Iterable[str]) -> dict[str, Floats]:
    """The features (completions,) of each text, by name: what `STYLE_FEATURES` lists.

    `length` is in words, `headers` counts h1 to h6, `lists` the items of ordered and unordered lists, `bold` the bold
    runs. Raises MissingValue with the row for a completion that is no text.
    """
    rows = []
    for row, text in enumerate(completions):
        if not isinstance(text, str):
            raise MissingValue(f"row {row}: the completion is {text!r}. Style control needs a text.")
        prose = _CODE.sub("", text)
        rows.append([len(text.split()), *(len(mark.findall(prose)) for mark in (_HEADER, _LIST, _BOLD))])
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(STYLE_FEATURES))
    return dict(zip(STYLE_FEATURES, table.T, strict=True))


def style_differences(
    features_a: Mapping[str, Sequence[float] | Floats], features_b: Mapping[str, Sequence[float] | Floats]
) -> dict[str, Floats]:
    """The differences z (battles,) of each feature between side A and side B, by name.

    Any features will do that are not negative. z is divided by its standard deviation but not centred: two completions
    of the same style differ by exactly zero. A feature is left out when it never differs, or when those before it
    determine it: neither has a coefficient of its own. Raises LengthMismatch, and BadOption when the sides have
    different features or a value is negative or missing.
    """
    if set(features_a) != set(features_b):
        raise BadOption(
            f"side A has features {sorted(features_a)}, side B {sorted(features_b)}. Give the same to both."
        )
    differences: dict[str, Floats] = {}
    for name in features_a:
        a, b = numbers(features_a[name], name), numbers(features_b[name], name)
        same_length(a=a, b=b)
        wrong = ~((a >= 0) & (b >= 0))
        if wrong.any():
            raise BadOption(f"row {int(np.argmax(wrong))}: {name} is negative or missing. Give zero or more.")
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
