"""audits with their samples; reviews with codes, mark-up and what a mask was corrected to"""

import sqlalchemy as sa
from alembic import op

from storage.types import JsonObject, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPEN = sa.text("resolution IS NULL AND severity <> 'info'")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("reviewers", sa.Integer(), nullable=False),
        sa.Column("plan", JsonObject, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("method IN ('simple', 'stratified', 'risk')", name=op.f("ck_audit_method")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_audit_project_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_audit_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "audit_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.Column("mask_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_audit_item_audit_id")),
        sa.ForeignKeyConstraint(["mask_id"], ["mask.id"], name=op.f("fk_audit_item_mask_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_item")),
        sa.UniqueConstraint("audit_id", "mask_id", name=op.f("uq_audit_item_audit_id_mask_id")),
    )
    op.create_index("ix_audit_item_order", "audit_item", ["audit_id", "ordinal"], unique=False)
    op.create_index("ix_audit_item_mask_id", "audit_item", ["mask_id"], unique=False)
    op.create_index("ix_flag_open", "flag", ["mask_id"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("audit_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("codes", JsonObject, nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("markup", JsonObject, nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("took_ms", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("corrected_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("iou", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("boundary_iou", sa.Float(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_review_audit_id"), "audit", ["audit_id"], ["id"])
        batch_op.create_foreign_key(op.f("fk_review_corrected_id"), "mask", ["corrected_id"], ["id"])
        batch_op.create_unique_constraint(op.f("uq_review_key"), ["key"])
        batch_op.create_check_constraint(op.f("ck_review_rating"), "rating BETWEEN 1 AND 10")
        batch_op.create_index("ix_review_audit_id", ["audit_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index("ix_review_audit_id")
        batch_op.drop_constraint(op.f("ck_review_rating"), type_="check")
        batch_op.drop_constraint(op.f("uq_review_key"), type_="unique")
        batch_op.drop_constraint(op.f("fk_review_corrected_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("fk_review_audit_id"), type_="foreignkey")
        for name in ("boundary_iou", "iou", "corrected_id", "took_ms", "markup", "codes", "audit_id", "key"):
            batch_op.drop_column(name)
    op.drop_index("ix_flag_open", table_name="flag")
    op.drop_index("ix_audit_item_mask_id", table_name="audit_item")
    op.drop_index("ix_audit_item_order", table_name="audit_item")
    op.drop_table("audit_item")
    op.drop_table("audit")
