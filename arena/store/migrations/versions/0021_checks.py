"""checks of visitors and texts: passes, spent challenges, results by text, and what they say of a battle"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visitor_pass",
        sa.Column("voter", sa.String(length=64), nullable=False),
        sa.Column("battles_left", sa.Integer(), nullable=False),
        sa.Column("checked", sa.Boolean(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("voter"),
    )
    op.create_table(
        "spent_challenge",
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("salt"),
    )
    op.create_index("spent_challenge_until", "spent_challenge", ["until"])
    op.create_table(
        "text_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("battle_id", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=True),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("flagged", sa.Text(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=True),
        sa.Column("backend", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["battle_id"], ["battle.id"]),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("turn_id", "side", "attempt"),
    )
    op.create_index("text_check_battle", "text_check", ["battle_id"])
    op.add_column("battle", sa.Column("texts", sa.String(length=10), nullable=True))
    for name in ("warned", "visitor_unchecked"):
        op.add_column("battle", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """The older version checks nothing."""
    for name in ("visitor_unchecked", "warned", "texts"):
        op.drop_column("battle", name)
    op.drop_table("text_check")
    op.drop_table("spent_challenge")
    op.drop_table("visitor_pass")
