"""benchmark runs and the outcome of each sample"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def real(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), nullable=True)


def text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def upgrade() -> None:
    op.create_table(
        "benchmark_run",
        number("id"), number("model_id"), text("task", 120), text("dimension", 60), text("settings"),
        text("design", 64), text("rung", 20), text("options"), text("metric", 60), real("value"),
        real("standard_error"), real("lower"), real("upper"), real("worst"), real("best"), number("scored"),
        number("unparsed"), number("failed"), text("metrics"), text("subjects"), real("seconds"), real("cost"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"), sa.ForeignKeyConstraint(["model_id"], ["model.id"]),
        sa.UniqueConstraint("model_id", "design"),
    )  # fmt: skip
    op.create_index("ix_benchmark_run_task", "benchmark_run", ["task"])
    op.create_table(
        "benchmark_outcome",
        number("id"), number("run_id"), number("number"), text("sample", 200), text("subject", 120),
        text("cluster", 200), text("status", 10), text("metrics"), text("prompt"), text("target"), text("answer"),
        text("reply"), text("reason"),
        sa.PrimaryKeyConstraint("id"), sa.ForeignKeyConstraint(["run_id"], ["benchmark_run.id"]),
        sa.UniqueConstraint("run_id", "number"),
    )  # fmt: skip
    op.create_index("ix_benchmark_outcome_run_id", "benchmark_outcome", ["run_id"])


def downgrade() -> None:
    op.drop_index("ix_benchmark_outcome_run_id", "benchmark_outcome")
    op.drop_table("benchmark_outcome")
    op.drop_index("ix_benchmark_run_task", "benchmark_run")
    op.drop_table("benchmark_run")
