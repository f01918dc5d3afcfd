"""hashes of published columns in seals"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seal", sa.Column("columns", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("seal", "columns")
