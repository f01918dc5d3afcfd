"""Paths of the reply caches."""

from __future__ import annotations

from pathlib import Path

from arena.config.tables import Settings

REPLIES = "arena-replies.jsonl"
EXPLANATION_REPLIES = "arena-explanations.jsonl"  # the replies that explanations were computed from
SQLITE = "sqlite:///"


def reply_cache_path(settings: Settings, given: Path | None = None, name: str = REPLIES) -> Path:
    """The path `given`, else the file `name` in the folder of the SQLite database, else in the working directory."""
    if given is not None:
        return given
    if settings.database_url.startswith(SQLITE):
        return Path(settings.database_url.removeprefix(SQLITE)).with_name(name)
    return Path(name)
