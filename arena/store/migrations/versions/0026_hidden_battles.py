"""battles that an operator hides, and indexes of battles and votes by time, from which the operator's pages count"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hidden_battle",
        sa.Column("battle_id", sa.Integer, sa.ForeignKey("battle.id"), primary_key=True, autoincrement=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("hidden_by", sa.String(120), nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("battle_day", "battle", ["created_at", "mode", "status", "model_a_id", "model_b_id"])
    op.create_index("vote_created_at", "vote", ["created_at", "source"])

    if op.get_bind().dialect.name == "sqlite":  # REPLACE deletes a row without the trigger of deletions
        op.execute(
            "CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry "
            "WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id) "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_no_replace")
    op.drop_index("vote_created_at", "vote")
    op.drop_index("battle_day", "battle")
    op.drop_table("hidden_battle")
