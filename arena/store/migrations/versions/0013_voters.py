"""sessions that belong to another voter or have ended, and recovery codes"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "voter_session",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("voter", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session"),
    )
    op.create_index(op.f("ix_voter_session_voter"), "voter_session", ["voter"])
    op.create_table(
        "recovery_code",
        sa.Column("voter", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("voter"),
        sa.UniqueConstraint("code"),
    )


def downgrade() -> None:
    op.drop_table("recovery_code")
    op.drop_index(op.f("ix_voter_session_voter"), "voter_session")
    op.drop_table("voter_session")
