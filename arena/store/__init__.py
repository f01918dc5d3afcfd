"""What the arena remembers, in SQLite or PostgreSQL."""

from arena.errors import DatabaseError
from arena.store.database import Database

__all__ = ["Database", "DatabaseError"]
