"""times of the replies of benchmark runs, and names of clusters that fit their column"""

import sqlalchemy as sa
from alembic import op

from arena.store.text_columns import fitted

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
WIDTHS = {"sample": 200, "subject": 120, "cluster": 200}


def upgrade() -> None:
    op.add_column("benchmark_run", sa.Column("replies_at", sa.DateTime(timezone=True), nullable=True))
    outcome = sa.table("benchmark_outcome", sa.column("id", sa.Integer), *(sa.column(name) for name in WIDTHS))
    for name, width in WIDTHS.items():  # SQLite keeps longer texts, PostgreSQL refuses them
        column = outcome.c[name]
        long = (
            op.get_bind()
            .execute(sa.select(column).where(sa.func.length(column) > width).distinct())
            .scalars()
            .all()
        )
        for value in long:
            op.execute(sa.update(outcome).where(column == value).values({name: fitted(value, width)}))


def downgrade() -> None:
    op.drop_column("benchmark_run", "replies_at")
