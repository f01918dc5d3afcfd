"""The lock of one server on an SQLite file."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from arena.errors import DatabaseError


def locked(file: str) -> FileLock:
    """Lock the file against other servers, which would abandon its running battles. Raises `DatabaseError`."""
    place = Path(f"{file}-lock")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()  # FileLock would wait forever without write permission
    except OSError as error:
        raise DatabaseError(
            f"{place} cannot be written ({error.strerror}). Give a database in a writable folder with --db."
        ) from error
    lock = FileLock(place)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DatabaseError(
            f"{file} is in use by another arena. Stop that arena, or choose another file with --db."
        ) from None
    return lock
