"""no ticket: a vote is cast by its voter and the battle's public id"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BATTLE: tuple[sa.Column[Any], ...] = (
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("public_id", sa.String(length=40), nullable=False),
    sa.Column("voter", sa.String(length=64), nullable=False),
    sa.Column("model_a_id", sa.Integer(), nullable=False),
    sa.Column("model_b_id", sa.Integer(), nullable=False),
    sa.Column("pair_probability", sa.Float(), nullable=False),
    sa.Column("category", sa.String(length=60), nullable=False),
    sa.Column("status", sa.String(length=20), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.false()),
)
TICKET = sa.Column("ticket", sa.String(length=64), nullable=False)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(with_ticket=False)
    else:
        op.drop_column("battle", "ticket")  # its unique constraint goes with it


def downgrade() -> None:
    """The older version needs a unique ticket. It checks the voter too, so the public id serves as one."""
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(with_ticket=True)
        return
    op.add_column("battle", sa.Column("ticket", sa.String(length=64), nullable=True))
    op.execute("UPDATE battle SET ticket = public_id")
    op.alter_column("battle", "ticket", nullable=False)
    op.create_unique_constraint("battle_ticket_key", "battle", ["ticket"])


def _rebuild(*, with_ticket: bool) -> None:
    """Build the table again with the same rows: SQLite drops no column that has a unique constraint.

    Rows of other tables refer to battles throughout, so their keys are checked at the end of the transaction.
    """
    ticket = [TICKET, sa.UniqueConstraint("ticket")] if with_ticket else []
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TEMPORARY TABLE battle_rows AS SELECT * FROM battle")
    op.drop_table("battle")
    op.create_table(
        "battle",
        *BATTLE,
        *ticket,
        sa.ForeignKeyConstraint(["model_a_id"], ["model.id"]),
        sa.ForeignKeyConstraint(["model_b_id"], ["model.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
    )
    op.create_index("battle_status", "battle", ["status"])
    op.create_index("ix_battle_voter", "battle", ["voter"])
    values: dict[str, sa.ColumnClause[Any]] = {column.name: sa.column(column.name) for column in BATTLE}
    if with_ticket:
        values["ticket"] = sa.column("public_id")
    rows = sa.select(*values.values()).select_from(sa.table("battle_rows"))
    op.execute(sa.table("battle", *map(sa.column, values)).insert().from_select(list(values), rows))
    op.execute("DROP TABLE battle_rows")
