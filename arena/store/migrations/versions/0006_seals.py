"""seals over batches of votes, and the key of the voters' pseudonyms"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def upgrade() -> None:
    op.create_table(
        "seal",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        text("previous", 64), whole("first_vote"), whole("last_vote"), whole("votes"), text("root", 64),
        text("filter", 40), text("boards"),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False), text("sha256", 64),
        sa.PrimaryKeyConstraint("number"), sa.UniqueConstraint("sha256"),
    )  # fmt: skip
    made = op.create_table(
        "ledger_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False), text("key", 64),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.bulk_insert(made, [{"id": 1, "key": secrets.token_hex(32)}])


def downgrade() -> None:
    op.drop_table("ledger_key")
    op.drop_table("seal")
