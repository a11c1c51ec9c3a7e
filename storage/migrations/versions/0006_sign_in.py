"""roles and passwords of people, and the browsers they are signed in at"""

import sqlalchemy as sa
from alembic import op

from storage.types import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added in place: SQLite could remake the table only while nothing refers to its rows.
    op.add_column("person", sa.Column("role", sa.String(length=16), nullable=False, server_default="annotator"))
    op.add_column("person", sa.Column("password_hash", sa.String(length=255), nullable=True))
    op.add_column("person", sa.Column("must_change", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("person", sa.Column("deactivated_at", UTCDateTime(), nullable=True))
    op.execute("UPDATE person SET role = 'owner' WHERE name = 'owner'")
    op.create_index("ix_person_password_hash", "person", ["password_hash"], unique=False)
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_sign_in_token_sha256")),
    )
    op.create_index("ix_sign_in_person_id", "sign_in", ["person_id", "seen_at"], unique=False)
    op.create_index("ix_event_person_id", "event", ["person_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_event_person_id", table_name="event")
    op.drop_index("ix_sign_in_person_id", table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_index("ix_person_password_hash", table_name="person")
    for name in ("deactivated_at", "must_change", "password_hash", "role"):
        op.drop_column("person", name)
