"""states of models, their changes, and endpoints that rest after failures"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_state",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("state", sa.String(10), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("weight", sa.Float(), nullable=True),
        sa.Column("boost_votes", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(120), nullable=True, unique=True),
        sa.Column("organisation", sa.String(120), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "model_state_change",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("model_state_change_name", "model_state_change", ["name"])
    op.create_table(
        "model_outage",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("server", sa.String(40), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    for table in ("model_outage", "model_state_change", "model_state"):
        op.drop_table(table)
