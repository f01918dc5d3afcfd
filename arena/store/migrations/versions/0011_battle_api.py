"""modes of battles, votes that can be undone, reasons of votes, and reports"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WINNERS = "winner in ('model_a', 'model_b', 'tie', 'both_bad')"


def upgrade() -> None:
    op.add_column("battle", sa.Column("mode", sa.String(length=10), nullable=False, server_default="blind"))
    for name in ("suggested", "stop_requested"):
        op.add_column("battle", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("vote", sa.Column("reasons", sa.Text(), nullable=True))
    op.create_table(
        "pending_vote",
        sa.Column("battle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("voter", sa.String(length=64), nullable=False),
        sa.Column("winner", sa.String(length=10), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=True),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(WINNERS, name="pending_vote_winner"),
        sa.ForeignKeyConstraint(["battle_id"], ["battle.id"]),
        sa.PrimaryKeyConstraint("battle_id"),
    )
    op.create_index("pending_vote_due", "pending_vote", ["due_at"])
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("battle_id", sa.Integer(), nullable=False),
        sa.Column("voter", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["battle_id"], ["battle.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("report_battle", "report", ["battle_id"])


def downgrade() -> None:
    """The older version would draw no line between modes: it gets battles with chosen models closed."""
    op.execute("UPDATE battle SET status = 'abandoned' WHERE mode <> 'blind'")
    op.drop_table("report")
    op.drop_table("pending_vote")
    op.drop_column("vote", "reasons")
    for name in ("stop_requested", "suggested", "mode"):
        op.drop_column("battle", name)
