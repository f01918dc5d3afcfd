"""the server that runs a battle's turn, and the last sign of life of each server"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("battle", sa.Column("owner", sa.String(length=40), nullable=True))
    op.create_table(
        "server",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """The older version would accept votes on interrupted completions, so it gets these battles closed."""
    op.execute(
        "UPDATE battle SET status = 'abandoned' WHERE status = 'open' AND id IN (SELECT turn.battle_id FROM turn "
        "JOIN completion ON completion.turn_id = turn.id WHERE completion.status = 'abandoned')"
    )
    op.drop_table("server")
    op.drop_column("battle", "owner")
