"""e-mail addresses of people, their accounts at a provider, sign-ins by it; a role is one of four"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROLE = "CONSTRAINT ck_person_role CHECK ({} IN ('annotator', 'reviewer', 'manager', 'owner'))"
HERE = sa.text("deactivated_at IS NULL")


def upgrade() -> None:
    # Columns are added in place, checks and all: SQLite could remake the table only while nothing refers to its rows.
    # One that is there already takes no check, so the role moves into a new one, which then takes its name.
    op.execute(f"ALTER TABLE person ADD COLUMN held VARCHAR(16) NOT NULL DEFAULT 'annotator' {ROLE.format('held')}")
    _move("role", "held")
    op.execute(
        "ALTER TABLE person ADD COLUMN email VARCHAR(254) CONSTRAINT ck_person_email CHECK (email = lower(email))"
    )
    op.add_column("person", sa.Column("subject", sa.String(length=600), nullable=True))
    for name in ("email", "subject"):
        op.create_index(f"ix_person_{name}", "person", [name], unique=True, sqlite_where=HERE, postgresql_where=HERE)
    op.add_column("sign_in", sa.Column("by_provider", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("sign_in", "by_provider")
    for name in ("subject", "email"):
        op.drop_index(f"ix_person_{name}", table_name="person")
        op.execute(f"ALTER TABLE person DROP COLUMN {name}")
    op.execute("ALTER TABLE person ADD COLUMN held VARCHAR(16) NOT NULL DEFAULT 'annotator'")
    _move("role", "held")


def _move(name: str, there: str) -> None:
    op.execute(f"UPDATE person SET {there} = {name}")
    op.execute(f"ALTER TABLE person DROP COLUMN {name}")
    op.execute(f"ALTER TABLE person RENAME COLUMN {there} TO {name}")
