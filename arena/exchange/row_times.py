"""The time of a row of a battles file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from arena.exchange.formats.battle_columns import given

TIMES = ("timestamp", "tstamp")
YEAR_3000 = 32_503_680_000  # seconds; a larger time is in milliseconds
AHEAD = timedelta(days=1)  # of the clock of this machine: the zones of the world


def time_of(row: Mapping[str, Any]) -> datetime | None:
    """The time of seconds or milliseconds since 1970, or ISO 8601 (default zone: UTC); None for a row without one.

    Raises ValueError for a field that is no time, and for one in the future.
    """
    time = next((row[name] for name in TIMES if given(row.get(name)) is not None), None)
    if time is None:
        return None
    try:
        moment = _moment(time)
    except (TypeError, ValueError, OverflowError, OSError):
        raise ValueError(
            f"time {str(time)[:40]!r} is invalid. Use seconds since 1970, or ISO 8601 such as 2024-05-17T12:00:00Z."
        ) from None
    if moment > datetime.now(UTC) + AHEAD:
        raise ValueError(f"time {str(time)[:40]!r} is {moment:%Y-%m-%d}, in the future. Use the time of the vote.")
    return moment


def _moment(time: Any) -> datetime:
    try:
        seconds = float(time)
    except (TypeError, ValueError):
        moment = time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(seconds / 1000 if seconds > YEAR_3000 else seconds, UTC)
