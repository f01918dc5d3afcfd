"""imports by name, and votes of judges and imports that are set aside"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vote_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "set_aside",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(length=120), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_reason", sa.String(), nullable=True),
        sa.Column("taken_back_by", sa.String(length=120), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("vote", sa.Column("import_id", sa.Integer(), nullable=True))
    op.add_column("seal", sa.Column("set_aside", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("seal", "set_aside")
    op.drop_column("vote", "import_id")
    op.drop_table("set_aside")
    op.drop_table("vote_import")
