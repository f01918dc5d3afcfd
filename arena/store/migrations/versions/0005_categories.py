"""categories and style of battles, a voter's leave to show a battle, an index for boards"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STYLE = ("length", "headers", "lists", "bold")


def upgrade() -> None:
    op.create_table(
        "battle_category",
        sa.Column("battle_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("classifier", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["battle_id"], ["battle.id"]),
        sa.PrimaryKeyConstraint("battle_id", "category"),
    )
    op.create_index("battle_category_name", "battle_category", ["category"])
    op.create_table(
        "battle_style",
        sa.Column("battle_id", sa.Integer(), nullable=False),
        *(sa.Column(f"{name}_{side}", sa.Integer(), nullable=False) for name in STYLE for side in "ab"),
        sa.ForeignKeyConstraint(["battle_id"], ["battle.id"]),
        sa.PrimaryKeyConstraint("battle_id"),
    )
    # not in a batch: that would copy the table, and SQLite forbids to drop one that others refer to
    op.add_column("battle", sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("pair_count_board", "pair_count", ["category", "source"])


def downgrade() -> None:
    op.drop_index("pair_count_board", "pair_count")
    op.drop_column("battle", "shared")
    op.drop_table("battle_style")
    op.drop_index("battle_category_name", "battle_category")
    op.drop_table("battle_category")
