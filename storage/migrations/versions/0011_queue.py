"""leases, priorities and places of images, versions of what can be overwritten, masks that were sent back"""

import sqlalchemy as sa
from alembic import op

from storage.types import UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UNRANKED = 2**31 - 1
LIVE = sa.text("deleted_at IS NULL")
OPEN = sa.text("state <> 'done' AND deleted_at IS NULL")
RETURNED = sa.text("returned_at IS NOT NULL AND deleted_at IS NULL AND superseded_at IS NULL")
WAITING = sa.text("second_id IS NULL")
ORDER = ["project_id", "priority", "place", "id"]


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("taken_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_lease_image_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_lease_person_id")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_lease")),
    )
    op.create_index("ix_lease_person_id", "lease", ["person_id"])
    op.create_index("ix_lease_expires_at", "lease", ["expires_at"])
    op.create_table(
        "overlap",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_overlap_image_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_overlap_project_id")),
        sa.ForeignKeyConstraint(["first_id"], ["person.id"], name=op.f("fk_overlap_first_id")),
        sa.ForeignKeyConstraint(["second_id"], ["person.id"], name=op.f("fk_overlap_second_id")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_overlap")),
    )
    op.create_index(
        "ix_overlap_waiting", "overlap", ["project_id", "image_id"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    # Each is added by itself: SQLite then changes the schema alone, and not the rows of millions of masks.
    op.add_column("image", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("image", sa.Column("state_by", sa.Integer(), nullable=True))
    op.add_column("image", sa.Column("priority", sa.Integer(), nullable=False, server_default="2"))
    op.add_column("image", sa.Column("place", sa.Integer(), nullable=False, server_default=str(UNRANKED)))
    op.add_column("work", sa.Column("version", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("work", sa.Column("client", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("mask", sa.Column("returned_at", UTCDateTime(), nullable=True))
    op.execute(
        f"UPDATE image SET place = coalesce((SELECT rank FROM survey WHERE survey.image_id = image.id), {UNRANKED})"
    )
    op.execute(
        "UPDATE mask SET returned_at = (SELECT max(created_at) FROM review WHERE review.mask_id = mask.id"
        " AND verdict = 'send_back') WHERE id IN (SELECT mask_id FROM review WHERE verdict = 'send_back')"
    )
    op.create_index("ix_image_open", "image", ORDER, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_image_order", "image", ORDER, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index("ix_mask_returned", "mask", ["person_id", "id"], sqlite_where=RETURNED, postgresql_where=RETURNED)
    op.drop_index("ix_survey_rank", table_name="survey")
    op.drop_column("survey", "rank")


def downgrade() -> None:
    op.add_column("survey", sa.Column("rank", sa.Integer(), nullable=True))
    op.create_index("ix_survey_rank", "survey", ["project_id", "rank"])
    op.execute(
        f"UPDATE survey SET rank = (SELECT place FROM image WHERE image.id = survey.image_id AND place < {UNRANKED})"
    )
    op.drop_index("ix_mask_returned", table_name="mask")
    op.drop_index("ix_image_order", table_name="image")
    op.drop_index("ix_image_open", table_name="image")
    op.drop_column("mask", "returned_at")
    op.drop_column("work", "client")
    op.drop_column("work", "version")
    for name in ("place", "priority", "state_by", "version"):
        op.drop_column("image", name)
    op.drop_index("ix_overlap_waiting", table_name="overlap")
    op.drop_table("overlap")
    op.drop_index("ix_lease_expires_at", table_name="lease")
    op.drop_index("ix_lease_person_id", table_name="lease")
    op.drop_table("lease")
