"""how chance said an object is to be made; counters anew"""

from alembic import op
from sqlmodel import Session

from storage import tallies

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Written out: Alembic would write SQLite's table anew, which takes minutes for millions of masks.
    check = "CONSTRAINT ck_mask_assigned CHECK (assigned IN ('assisted', 'by_hand'))"
    op.execute(f"ALTER TABLE mask ADD COLUMN assigned VARCHAR(16) {check}")
    # Only the last migration that changes what is counted counts: the code that does so knows today's columns.
    tallies.recount(session=Session(op.get_bind()))


def downgrade() -> None:
    op.execute("ALTER TABLE mask DROP COLUMN assigned")
