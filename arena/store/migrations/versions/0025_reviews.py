"""sign-in by a provider, and the review queue: battles, assignments and reviews"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
TIME = sa.DateTime(timezone=True)
STANDING = sa.text("undone_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "review_queue",
        sa.Column("battle_id", sa.Integer, sa.ForeignKey("battle.id"), primary_key=True, autoincrement=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("disagreement", sa.Float, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("added_by", sa.String(120), nullable=False),
    )
    op.create_table(
        "review_assignment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("battle_id", sa.Integer, sa.ForeignKey("battle.id"), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("swapped", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("skip_reason", sa.String(20)),
        sa.Column("assigned_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("decided_at", TIME),
        sa.UniqueConstraint("battle_id", "account_id"),
    )
    op.create_index("review_assignment_account", "review_assignment", ["account_id", "status"])
    op.create_table(
        "review",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment_id", sa.Integer, sa.ForeignKey("review_assignment.id"), nullable=False),
        sa.Column("battle_id", sa.Integer, sa.ForeignKey("battle.id"), nullable=False),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("winner", sa.String(10), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("undone_at", TIME),
        sa.CheckConstraint("winner in ('model_a', 'model_b', 'tie', 'both_bad')", name="review_winner"),
    )
    op.create_index("review_battle", "review", ["battle_id"])
    op.create_index(
        "review_current",
        "review",
        ["assignment_id"],
        unique=True,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )

    _create_sign_in()


def _create_sign_in() -> None:
    op.create_table(
        "account_voter",
        sa.Column("voter", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("is_main", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_account_voter_account_id", "account_voter", ["account_id"])
    op.create_table(
        "used_sign_in",
        sa.Column("state", sa.String(64), primary_key=True),
        sa.Column("used_at", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("used_sign_in")
    op.drop_table("account_voter")
    op.drop_table("review")
    op.drop_table("review_assignment")
    op.drop_table("review_queue")
