"""a table of surveys: what is left on an image, and where it stands among the others"""

import sqlalchemy as sa
from alembic import op

from storage.types import JsonObject, UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "survey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("encoder_hash", sa.String(length=64), nullable=False),
        sa.Column("masks", sa.Integer(), nullable=False),
        sa.Column("mask_ids", sa.BigInteger(), nullable=False),
        sa.Column("proposals", sa.Integer(), nullable=False),
        sa.Column("left_over", sa.Integer(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("uncovered", sa.Float(), nullable=False),
        sa.Column("detail", JsonObject, nullable=False),
        sa.Column("spread", JsonObject, nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=True),
        sa.Column("cluster", sa.Integer(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_survey_project_id")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_survey_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint("image_id", name=op.f("uq_survey_image_id")),
    )
    op.create_index("ix_survey_left_over", "survey", ["project_id", "left_over", "image_id"], unique=False)
    op.create_index("ix_survey_rank", "survey", ["project_id", "rank"], unique=False)
    op.create_index("ix_survey_cluster", "survey", ["project_id", "cluster", "image_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_survey_cluster", table_name="survey")
    op.drop_index("ix_survey_rank", table_name="survey")
    op.drop_index("ix_survey_left_over", table_name="survey")
    op.drop_table("survey")
