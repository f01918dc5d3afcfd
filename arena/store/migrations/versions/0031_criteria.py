"""what a judge gave by each criterion of a rubric"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("verdict", "score"):
        op.add_column(table, sa.Column("criteria", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("verdict", "score"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("criteria")
