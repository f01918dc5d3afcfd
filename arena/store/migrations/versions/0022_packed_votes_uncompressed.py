"""packed votes stay as they are on PostgreSQL, which would try to compress each row at each vote"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _store("EXTERNAL")


def downgrade() -> None:
    _store("EXTENDED")


def _store(storage: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE packed_votes ALTER COLUMN votes SET STORAGE {storage}")
