"""states of votes: which do not count, what changed it, and appeals"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vote_state_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("check_version", sa.String(length=40), nullable=False),
        sa.Column("set_by", sa.String(length=120), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("changes_boards", sa.Boolean(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("vote_state_event_boards", "vote_state_event", ["changes_boards", "id"])
    op.create_index("vote_state_event_age", "vote_state_event", ["set_at"])
    op.create_table(
        "vote_state_change",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("vote_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["vote_state_event.id"]),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"]),
        sa.PrimaryKeyConstraint("event_id", "vote_id"),
    )
    op.create_index("vote_state_change_vote", "vote_state_change", ["vote_id"])
    op.create_table(
        "vote_hold",
        sa.Column("vote_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["vote_state_event.id"]),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"]),
        sa.PrimaryKeyConstraint("vote_id"),
    )
    op.create_index("vote_hold_reason", "vote_hold", ["state", "reason"])
    op.create_index("ix_vote_hold_event_id", "vote_hold", ["event_id"])
    op.create_table(
        "appeal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("vote_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["vote_state_event.id"]),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("vote_id", "event_id"),
    )
    op.create_index("appeal_open", "appeal", ["decided_at", "id"])


def downgrade() -> None:
    for table in ("appeal", "vote_hold", "vote_state_change", "vote_state_event"):
        op.drop_table(table)
