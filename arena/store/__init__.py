"""What the arena remembers, in SQLite or PostgreSQL."""

from arena.store.database import Database, DatabaseError

__all__ = ["Database", "DatabaseError"]
