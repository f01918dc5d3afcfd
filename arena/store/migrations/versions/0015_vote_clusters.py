"""prompts that several battles have, and votes in a compact form for intervals that allow for clusters"""

import sqlalchemy as sa
from alembic import op
from sqlmodel import Session

from arena.store.battle_prompts import record_every_prompt

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "battle_prompt",
        sa.Column("battle_id", sa.Integer(), nullable=False),
        sa.Column("cluster", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["battle_id"], ["battle.id"]),
        sa.PrimaryKeyConstraint("battle_id"),
    )
    op.create_table(
        "packed_votes",
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("votes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("category", "source", "part", "chunk"),
    )
    if op.get_bind().dialect.name == "postgresql":  # hashes do not compress
        op.execute("ALTER TABLE packed_votes ALTER COLUMN votes SET STORAGE EXTERNAL")
    with Session(bind=op.get_bind()) as session:
        record_every_prompt(session)  # a later revision fills the other table
        session.flush()


def downgrade() -> None:
    op.drop_table("packed_votes")
    op.drop_table("battle_prompt")
