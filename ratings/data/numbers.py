"""Columns of any kind as floats: weights, covariates and features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ratings.data.columns import Column, same_length
from ratings.data.tables import is_table
from ratings.errors import MissingValue, RatingsError


def numbers(column: Column, name: str) -> NDArray[np.float64]:
    """The column as floats (rows,); a missing or masked value is NaN.

    Raises RatingsError for a table, and for a value that is no number.
    """
    if is_table(column):
        raise RatingsError(f"{name} is a table ({type(column).__name__}). Give one of its columns.")
    try:
        if isinstance(column, np.ma.MaskedArray):
            column = np.where(np.ma.getmaskarray(column), np.nan, column.data.astype(np.float64))
        if type(column).__module__.partition(".")[0] == "pandas":
            column = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.ascontiguousarray(column, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise RatingsError(
            f"{name} is not a column of numbers: {problem}. Give one number per battle."
        ) from problem


def covariate(column: Column, name: str, rows: int) -> NDArray[np.float64]:
    """A covariate as floats (rows,). Raises LengthMismatch, and MissingValue with the row for a value not finite."""
    values = numbers(column, f"covariate {name!r}")
    same_length(battles=np.empty(rows, dtype=np.bool_), **{name: values})
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise MissingValue(f"row {row}: covariate {name!r} is missing. Give a finite number.")
    return values
