"""boxes of faces and number plates, which images were searched for them, and files to be deleted"""

import sqlalchemy as sa
from alembic import op

from storage.types import JsonObject, UTCDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("detector", sa.String(length=200), nullable=False),
        sa.Column("searched_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=True),
        sa.Column("seen_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_search_project_id")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_search_image_id")),
        sa.ForeignKeyConstraint(["seen_by"], ["person.id"], name=op.f("fk_search_seen_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search")),
        sa.UniqueConstraint("image_id", name=op.f("uq_search_image_id")),
    )
    op.create_index("ix_search_review", "search", ["project_id", "seen_at", "image_id"], unique=False)
    op.create_table(
        "region",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("x0", sa.Float(), nullable=False),
        sa.Column("y0", sa.Float(), nullable=False),
        sa.Column("x1", sa.Float(), nullable=False),
        sa.Column("y1", sa.Float(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("removed_at", UTCDateTime(), nullable=True),
        sa.Column("removed_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('face', 'plate')", name=op.f("ck_region_kind")),
        sa.CheckConstraint("source IN ('found', 'drawn')", name=op.f("ck_region_source")),
        sa.CheckConstraint("x0 < x1 AND y0 < y1", name=op.f("ck_region_box")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_region_image_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_region_person_id")),
        sa.ForeignKeyConstraint(["removed_by"], ["person.id"], name=op.f("fk_region_removed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region")),
    )
    op.create_index("ix_region_image_id", "region", ["image_id", "id"], unique=False)
    op.create_table(
        "discarded_file",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("kind", "sha256", name=op.f("pk_discarded_file")),
    )
    op.create_index("ix_image_working_sha256", "image", ["working_sha256"], unique=False)
    op.create_index("ix_image_thumb_sha256", "image", ["thumb_sha256"], unique=False)
    _leave_as_they_are()


def _leave_as_they_are() -> None:
    """Projects that are there already go on taking photos in as they did, until a manager wants them blurred."""
    project = sa.table("project", sa.column("id", sa.Integer), sa.column("settings", JsonObject))
    connection = op.get_bind()
    for project_id, settings in connection.execute(sa.select(project.c.id, project.c.settings)).all():
        kept = {"blur": False, **settings}
        connection.execute(sa.update(project).where(project.c.id == project_id).values(settings=kept))


def downgrade() -> None:
    op.drop_index("ix_image_thumb_sha256", table_name="image")
    op.drop_index("ix_image_working_sha256", table_name="image")
    op.drop_table("discarded_file")
    op.drop_index("ix_region_image_id", table_name="region")
    op.drop_table("region")
    op.drop_index("ix_search_review", table_name="search")
    op.drop_table("search")
