"""prompt sets, their completions, and what judges say beyond a winner"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def key(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def refers(name: str, to: str) -> list[sa.Column[int] | sa.ForeignKeyConstraint]:
    return [sa.Column(name, sa.Integer(), nullable=False), sa.ForeignKeyConstraint([name], [to])]


def text(name: str, *, nullable: bool = False, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def created() -> sa.Column[object]:
    return sa.Column("created_at", sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.create_table(
        "prompt_set",
        key(), text("name", length=120), text("source"), text("sha256", length=64), created(),
        sa.PrimaryKeyConstraint("id"), sa.UniqueConstraint("name"),
    )  # fmt: skip
    op.create_table(
        "prompt",
        key(), *refers("set_id", "prompt_set.id"), text("key", length=200), key("number"), text("messages"),
        text("category", length=60), text("checklist"), text("reference", nullable=True), text("extra"),
        sa.PrimaryKeyConstraint("id"), sa.UniqueConstraint("set_id", "key"),
    )  # fmt: skip
    op.create_table(
        "prompt_completion",
        key(), *refers("prompt_id", "prompt.id"), *refers("model_id", "model.id"), text("text"), text("earlier"),
        text("finish_reason", nullable=True, length=40),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True), created(),
        sa.PrimaryKeyConstraint("id"), sa.UniqueConstraint("prompt_id", "model_id"),
    )  # fmt: skip
    op.create_table(
        "judged_battle",
        *refers("battle_id", "battle.id"), *refers("prompt_id", "prompt.id"),
        *refers("model_a_id", "model.id"), *refers("model_b_id", "model.id"),
        sa.PrimaryKeyConstraint("battle_id"), sa.UniqueConstraint("prompt_id", "model_a_id", "model_b_id"),
    )  # fmt: skip
    op.create_table(
        "verdict",
        *refers("vote_id", "vote.id"), sa.Column("preference", sa.Float(), nullable=False), key("strength"),
        text("orders"), text("reason"), text("design", length=64),
        sa.PrimaryKeyConstraint("vote_id"),
    )  # fmt: skip
    op.create_table(
        "score",
        key(), *refers("completion_id", "prompt_completion.id"), text("source", length=120),
        sa.Column("score", sa.Float(), nullable=False), text("reason"), text("design", length=64), created(),
        sa.PrimaryKeyConstraint("id"), sa.UniqueConstraint("completion_id", "source"),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("score", "verdict", "judged_battle", "prompt_completion", "prompt", "prompt_set"):
        op.drop_table(table)
