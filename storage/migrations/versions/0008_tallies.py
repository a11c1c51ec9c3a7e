"""counters kept as masks are saved; concavity of masks"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("model_version_id", sa.Integer(), nullable=False),
        sa.Column("masks", sa.Integer(), nullable=False),
        sa.Column("sums", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_tally_project_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_tally_person_id")),
        sa.PrimaryKeyConstraint("project_id", "day", "person_id", "model_version_id", name=op.f("pk_tally")),
    )
    with op.batch_alter_table("mask", schema=None) as batch_op:
        batch_op.add_column(sa.Column("concavity", sa.Float(), nullable=True))
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.add_column(sa.Column("live_masks", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        "ix_image_live_masks", "image", ["project_id", "live_masks"], sqlite_where=LIVE, postgresql_where=LIVE
    )


def downgrade() -> None:
    op.drop_index("ix_image_live_masks", table_name="image")
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.drop_column("live_masks")
    with op.batch_alter_table("mask", schema=None) as batch_op:
        batch_op.drop_column("concavity")
    op.drop_table("tally")
