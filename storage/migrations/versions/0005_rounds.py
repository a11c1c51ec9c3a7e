"""rounds and their seats; known masks in audits; how much of a candidate was kept"""

import sqlalchemy as sa
from alembic import op

from storage.types import JsonObject, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agreement_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("passing", JsonObject, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('agreement', 'calibration')", name=op.f("ck_agreement_round_kind")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_agreement_round_project_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_agreement_round_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_round")),
    )
    op.create_index("ix_agreement_round_project_id", "agreement_round", ["project_id"], unique=False)
    op.create_table(
        "seat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["agreement_round.id"], name=op.f("fk_seat_round_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_seat_person_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_seat_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat")),
        sa.UniqueConstraint("round_id", "person_id", name=op.f("uq_seat_round_id_person_id")),
        sa.UniqueConstraint("project_id", name=op.f("uq_seat_project_id")),
    )
    op.create_index("ix_seat_person_id", "seat", ["person_id"], unique=False)
    with op.batch_alter_table("audit_item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("known", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("mask", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kept_iou", sa.Float(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("mask", schema=None) as batch_op:
        batch_op.drop_column("kept_iou")
    with op.batch_alter_table("audit_item", schema=None) as batch_op:
        batch_op.drop_column("known")
    op.drop_index("ix_seat_person_id", table_name="seat")
    op.drop_table("seat")
    op.drop_index("ix_agreement_round_project_id", table_name="agreement_round")
    op.drop_table("agreement_round")
