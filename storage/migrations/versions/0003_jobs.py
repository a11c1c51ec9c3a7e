"""a table of jobs: retraining goes on in a process of its own"""

import sqlalchemy as sa
from alembic import op

from storage.types import JsonObject, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked", JsonObject, nullable=False),
        sa.Column("progress", JsonObject, nullable=False),
        sa.Column("message", sa.String(length=500), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_job_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_kind", "job", ["kind", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_job_kind", table_name="job")
    op.drop_table("job")
