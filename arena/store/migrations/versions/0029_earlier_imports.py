"""a name for the votes that versions before 0.3 imported without one

These are the votes on battles that nobody fought here (without turns, or with imported completions alone), but for those
of judges that ran here, which have verdicts, and those over prompt sets.
"""

import sqlalchemy as sa
from alembic import op

from arena.store.schema.battles import now
from arena.store.schema.set_aside import BEFORE_NAMES

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

IMPORTED = """
import_id IS NULL
AND NOT EXISTS (SELECT 1 FROM verdict WHERE verdict.vote_id = vote.id)
AND NOT EXISTS (SELECT 1 FROM judged_battle WHERE judged_battle.battle_id = vote.battle_id)
AND NOT EXISTS (
    SELECT 1 FROM turn JOIN completion ON completion.turn_id = turn.id
    WHERE turn.battle_id = vote.battle_id AND coalesce(completion.finish_reason, '') <> 'imported'
)
"""
VOTES = sa.table("vote", sa.column("id"), sa.column("import_id"))
IMPORTS = sa.table(
    "vote_import", sa.column("id"), sa.column("name"), sa.column("created_at", sa.DateTime(timezone=True))
)


def upgrade() -> None:
    connection = op.get_bind()
    imported = sa.text(IMPORTED)
    if connection.execute(sa.select(VOTES.c.id).where(imported).limit(1)).first() is None:
        return
    new = sa.insert(IMPORTS).values(name=BEFORE_NAMES, created_at=now()).returning(IMPORTS.c.id)
    number = connection.execute(new).scalar_one()
    connection.execute(sa.update(VOTES).where(imported).values(import_id=number))


def downgrade() -> None:
    connection = op.get_bind()
    ours = IMPORTS.c.name == BEFORE_NAMES
    connection.execute(
        sa.update(VOTES).where(VOTES.c.import_id.in_(sa.select(IMPORTS.c.id).where(ours))).values(import_id=None)
    )
    connection.execute(sa.delete(IMPORTS).where(ours))
