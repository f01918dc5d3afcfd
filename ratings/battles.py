"""Battles as three checked arrays of codes, for the methods that need more than counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.columns import Codes, Column, column_codes, is_missing, same_length
from ratings.errors import BadOption, MissingValue, NoBattles, SelfBattle, UnknownModel
from ratings.outcomes import outcome_codes


@dataclass(frozen=True, eq=False)
class Battles:
    """`models` in order of their names; `model_a`, `model_b`, `outcome` (battles,) are codes into them and
    into `OUTCOMES`. Made by `read_battles`, which is where everything is checked."""

    models: tuple[str, ...]
    model_a: Codes
    model_b: Codes
    outcome: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.outcome)


def read_battles(
    model_a: Column, model_b: Column, winner: Column, *, models: Sequence[str] | None = None
) -> Battles:
    """Check three columns and code them.

    Model columns hold names or integers. With `models`, integers are places in it and it lists every model,
    also those without a battle; without, the models are those that occur, and integers are named by their
    digits. Models are put in order of name (integers: of number), so that the order of rows changes nothing.

    Raises NoBattles, LengthMismatch, MissingValue, SelfBattle, UnknownModel, UnknownWinner, with the row.
    """
    codes_a, labels_a = column_codes(model_a, "model_a")
    codes_b, labels_b = column_codes(model_b, "model_b")
    outcome = outcome_codes(winner)
    same_length(model_a=codes_a, model_b=codes_b, winner=outcome)
    if not outcome.size:
        raise NoBattles("no battles: the columns are empty")
    used_a = _used(codes_a, labels_a, "model_a")
    used_b = _used(codes_b, labels_b, "model_b")
    if models is None:
        known = sorted(set(used_a.values()) | set(used_b.values()), key=_number_then_name)
        names = tuple(str(label) for label in known)
        place: dict[object, int] = {label: code for code, label in enumerate(known)}
    else:
        names = checked_models(models)
        place = {name: code for code, name in enumerate(names)} | dict(enumerate(range(len(names))))
    a = _recode(codes_a, used_a, place, "model_a")
    b = _recode(codes_b, used_b, place, "model_b")
    same = a == b
    if same.any():
        row = int(np.argmax(same))
        raise SelfBattle(f"row {row}: {names[a[row]]!r} against itself; drop such battles")
    return Battles(names, a, b, outcome)


def checked_models(models: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple. Raises BadOption for a name that is not text or is given twice."""
    names = tuple(models)
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise BadOption(f"model {place} is {name!r}; a model's name is text")
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise BadOption(f"model {twice!r} is listed twice")
    return names


def _number_then_name(label: object) -> tuple[int, object]:
    return (0, label) if isinstance(label, int) else (1, label)


def _used(codes: Codes, labels: Sequence[object], name: str) -> dict[int, object]:
    """Code -> label of what occurs in the column, after checking that nothing is missing."""
    missing = codes.min() < 0
    present = range(len(labels)) if len(labels) > len(codes) else np.unique(codes).tolist()
    if len(labels) < 100_000 and not missing:
        present = np.flatnonzero(_presence(codes, len(labels))).tolist()
    used = {code: labels[code] for code in present if code >= 0}
    bad = [code for code, label in used.items() if is_missing(label)]
    if missing or bad:
        row = int(np.argmax(np.isin(codes, [*bad, -1])))
        raise MissingValue(f"row {row}: {name} has no model; name it or drop the battle")
    for code, label in used.items():
        if not isinstance(label, str | int):
            row = int(np.argmax(codes == code))
            raise UnknownModel(f"row {row}: {name} is {label!r}; a model is named by text or an integer")
    return used


def _presence(codes: Codes, size: int) -> NDArray[np.bool_]:
    present = np.zeros(size, dtype=np.bool_)
    present[codes] = True
    return present


def _recode(codes: Codes, used: dict[int, object], place: dict[object, int], name: str) -> Codes:
    lookup = np.zeros(max(used) + 1, dtype=np.int32)
    for code, label in used.items():
        if label not in place:
            row = int(np.argmax(codes == code))
            raise UnknownModel(f"row {row}: {name} {label!r} is not among the {len(place)} models given")
        lookup[code] = place[label]
    if np.array_equal(lookup, np.arange(len(lookup))):
        return codes  # already in order: nothing to copy
    return lookup[codes]
