"""control battles, and an index to find battles on a prompt"""

import sqlalchemy as sa
from alembic import op
from sqlmodel import Session, select

from arena.store.packed_votes import rewrite_packed_votes
from arena.store.schema.clusters import PackedVotes

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "control_battle",
        sa.Column("battle_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("repeats_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["battle_id"], ["battle.id"]),
        sa.ForeignKeyConstraint(["repeats_id"], ["battle.id"]),
        sa.PrimaryKeyConstraint("battle_id"),
    )
    op.create_index("ix_control_battle_repeats_id", "control_battle", ["repeats_id"])
    with Session(bind=op.get_bind()) as session:  # which votes count is asked with this version's tables
        if session.exec(select(PackedVotes.part).limit(1)).first() is None:
            rewrite_packed_votes(session)
            session.flush()
    op.create_index("battle_prompt_cluster", "battle_prompt", ["cluster", "battle_id"])


def downgrade() -> None:
    op.drop_index("battle_prompt_cluster", table_name="battle_prompt")
    op.drop_table("control_battle")
