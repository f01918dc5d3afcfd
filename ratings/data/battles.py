"""Battles as three checked columns of codes, with their pair counts: the input of every method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.data.columns import DENSE, Codes, Column, column_codes, integers, is_missing, same_length
from ratings.data.outcomes import outcome_codes
from ratings.data.tables import is_table, table_columns
from ratings.data.tally import OutcomeCounts, checked_tally, tally
from ratings.errors import BadOption, MissingValue, NoBattles, SelfBattle, UnknownModel

SAMPLE = 1 << 14  # battles at either end that tell how many models there are


@dataclass(frozen=True, eq=False)
class Battles:
    """Three columns (battles,) of codes, with the counts of their pairs; `read_battles` makes and checks them.

    `models` is in order of name; `model_a` and `model_b` are indices into it, `outcome` is an index into `OUTCOMES`.
    `pairs` (pairs,) are the ordered pairs that met, `index of A * models + index of B`, in rising order, and
    `outcome_counts` (pairs, 4) how often each outcome occurred.
    """

    models: tuple[str, ...]
    model_a: Codes
    model_b: Codes
    outcome: NDArray[np.uint8]
    pairs: NDArray[np.int64]
    outcome_counts: OutcomeCounts

    def __repr__(self) -> str:
        return f"Battles({len(self.models)} models, {len(self):,} battles)"

    def __len__(self) -> int:
        return len(self.outcome)


def read_battles(
    model_a: Column, model_b: Column = None, winner: Column = None, *, models: Sequence[str] | None = None
) -> Battles:
    """The battles of three columns (battles,), or of a table with these columns, checked, coded and counted.

    Columns are lists, numpy arrays, pandas or polars Series, or Arrow arrays. A table is a pandas or polars frame, an
    Arrow table, a dict of columns or a list of dicts; its other columns are not read. Model columns hold names or integers.
    With `models`, integers are indices into it and it lists every model, also those without a battle. Without, the
    models are those that occur, and integers are named by their digits. Models are put in order of name (integers:
    of number), so that the order of rows changes nothing. `winner` holds the names of `OUTCOMES`, or their codes.

    Raises NoBattles, LengthMismatch, MissingValue, SelfBattle, UnknownModel and UnknownWinner, with the row, and
    BadOption for a column that is not given.
    """
    if model_b is None and winner is None and is_table(model_a):
        model_a, model_b, winner = table_columns(model_a)
    if model_b is None or winner is None:
        raise BadOption("a column is missing. Give model_a, model_b and winner, or a table with these columns.")
    counted = _count_codes(model_a, model_b, winner, models)
    if counted is not None:
        return counted
    codes_a, labels_a = column_codes(model_a, "model_a")
    codes_b, labels_b = column_codes(model_b, "model_b")
    outcome = outcome_codes(winner)
    same_length(model_a=codes_a, model_b=codes_b, winner=outcome)
    if not outcome.size:
        raise NoBattles("no battles: the columns are empty. Give at least one row.")
    _check_labels(codes_a, labels_a, "model_a")
    _check_labels(codes_b, labels_b, "model_b")
    if models is None:
        labels = sorted({*labels_a, *labels_b}, key=_number_then_name)
        names = tuple(str(label) for label in labels)
        index = {label: code for code, label in enumerate(labels)}
    else:
        names = checked_models(models)
        index = {name: code for code, name in enumerate(names)} | {code: code for code in range(len(names))}
    a = _recode(codes_a, labels_a, index, "model_a")
    del codes_a  # five million codes are 20 MB
    b = _recode(codes_b, labels_b, index, "model_b")
    del codes_b
    battles = Battles(names, a, b, outcome, *tally(a, b, outcome, len(names)))
    _check_opponents(battles)
    return battles if models is not None else _without_absent(battles)


def _count_codes(model_a: Column, model_b: Column, winner: Column, models: Sequence[str] | None) -> Battles | None:
    """The battles of columns that already hold codes, counted and checked in one pass.

    None when they hold something else, or when a code is out of range: `read_battles` then finds the error and its row.
    """
    a, b, outcome = integers(model_a), integers(model_b), integers(winner)
    if a is None or b is None or outcome is None or outcome.dtype != np.uint8:
        return None
    if not len(a) == len(b) == len(outcome) > 0:
        return None
    if models is None:
        high = max(int(end.max()) for codes in (a, b) for end in (codes[:SAMPLE], codes[-SAMPLE:]))
        names = tuple(str(code) for code in range(high + 1)) if high < DENSE else ()
    else:
        names = checked_models(models)
    counted = checked_tally(a, b, outcome, len(names)) if 0 < len(names) <= DENSE else None
    if counted is None:
        return None
    battles = Battles(names, a, b, outcome, *counted)
    _check_opponents(battles)
    return battles if models is not None else _without_absent(battles)


def checked_models(models: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple. Raises BadOption for a name that is not text or is listed twice."""
    names = tuple(models)
    for index, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise BadOption(f"model {index} is {name!r}. Give a non-empty text as the name of a model.")
    if len(set(names)) < len(names):
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise BadOption(f"model {twice!r} is listed twice. List each model once.")
    return names


def _number_then_name(label: object) -> tuple[int, object]:
    return (0, label) if isinstance(label, int) else (1, label)


def _check_labels(codes: Codes, labels: Sequence[object], name: str) -> None:
    if isinstance(labels, range):
        return  # integers, none of them missing
    bad = [code for code, label in enumerate(labels) if is_missing(label)]
    if codes.min() < 0 or bad:
        row = int(np.argmax(np.isin(codes, [*bad, -1])))
        raise MissingValue(f"row {row}: {name} has no model. Name it, or drop the battle.")
    for code, label in enumerate(labels):
        if isinstance(label, int) and label < 0:  # how others mark a missing one
            row = int(np.argmax(codes == code))
            raise UnknownModel(f"row {row}: {name} is {label}. Give the number of a model, zero or more.")
        if isinstance(label, bool) or not isinstance(label, str | int):
            row = int(np.argmax(codes == code))
            raise UnknownModel(f"row {row}: {name} is {label!r}. Name a model by text or by an integer.")


def _recode(codes: Codes, labels: Sequence[object], index: dict[object, int], name: str) -> Codes:
    lookup = np.array([index.get(label, -1) for label in labels], dtype=np.int32)
    if (lookup < 0).any():
        missing = lookup[codes] < 0
        if missing.any():
            row = int(np.argmax(missing))
            given = f"the {len(set(index.values()))} models given"
            message = f"row {row}: {name} {labels[codes[row]]!r} is not among {given}. Add it to `models`."
            raise UnknownModel(message)
    if np.array_equal(lookup, np.arange(len(lookup))):
        return codes  # already in order: nothing to copy
    return lookup[codes]


def _check_opponents(battles: Battles) -> None:
    self_pairs = np.arange(len(battles.models)) * (len(battles.models) + 1)  # a * size + a
    if (np.diff(np.searchsorted(battles.pairs, [self_pairs, self_pairs + 1]), axis=0) > 0).any():
        row = int(np.argmax(battles.model_a == battles.model_b))
        name = battles.models[battles.model_a[row]]
        raise SelfBattle(f"row {row}: {name!r} against itself. Drop such battles.")


def _without_absent(battles: Battles) -> Battles:
    """The same battles without models that no battle names, such as unused categories."""
    size = len(battles.models)
    present = np.diff(np.searchsorted(battles.pairs, np.arange(size + 1) * size)) > 0  # as model A
    if present.all():
        return battles
    present[battles.pairs % size] = True
    if present.all():
        return battles
    index = (np.cumsum(present) - 1).astype(np.int32)
    names = tuple(name for name, here in zip(battles.models, present.tolist(), strict=True) if here)
    pairs = index[battles.pairs // size].astype(np.int64) * len(names) + index[battles.pairs % size]
    a, b = index[battles.model_a], index[battles.model_b]
    return Battles(names, a, b, battles.outcome, pairs, battles.outcome_counts)
