"""masks may be imported; an index of those that are"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OLD = "origin IN ('assisted', 'by_hand')"
NEW = "origin IN ('assisted', 'by_hand', 'imported')"
WHERE = sa.text("origin = 'imported' AND deleted_at IS NULL AND superseded_at IS NULL")


def upgrade() -> None:
    _exchange(OLD, NEW)
    op.create_index("ix_mask_imported", "mask", ["image_id"], unique=False, sqlite_where=WHERE, postgresql_where=WHERE)


def downgrade() -> None:
    op.drop_index("ix_mask_imported", table_name="mask")
    _exchange(NEW, OLD)


def _exchange(old: str, new: str) -> None:
    """Put one check in the place of another.

    SQLite can only write a table anew, which takes minutes for millions of masks and cannot be done while other
    tables point at it. A check changes nothing on disk: SQLite's documentation lets the schema's text be edited then.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_mask_origin"), "mask", type_="check")
        op.create_check_constraint(op.f("ck_mask_origin"), "mask", new)
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'mask'", (old, new)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
    text = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'mask'"
    ).scalar_one()
    if new not in text:
        raise RuntimeError(f"the table mask must have the check {old!r}, got: {text}")
