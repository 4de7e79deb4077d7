"""The first schema: envelopes, chunks, slots, recipients, cut, notices, policy, upkeep."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table, empty but for the one row of `upkeep`."""
    _create_items()
    _create_roster()
    op.create_table(
        "cut",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("envelopes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "policy",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("version", sa.String, nullable=False),
    )
    upkeep = op.create_table(
        "upkeep",
        sa.Column("only", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("purged", sa.Integer, nullable=False),
        sa.Column("roster", sa.BigInteger, nullable=False),
    )
    op.execute(upkeep.insert().values(only=0, purged=0, roster=0))
    if op.get_bind().dialect.name == "postgresql":
        # Ciphertext does not compress; EXTERNAL spares PostgreSQL the attempt (FACTS, Storage).
        op.execute("ALTER TABLE chunk ALTER COLUMN ciphertext SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE slot ALTER COLUMN page SET STORAGE EXTERNAL")


def _create_items() -> None:
    op.create_table(
        "envelope",
        sa.Column("id", sa.LargeBinary(16), primary_key=True),
        sa.Column("memo", sa.LargeBinary(1024), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.LargeBinary(16), nullable=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("crc32", sa.BigInteger, nullable=False),
        sa.Column("proven", sa.Boolean, nullable=False),
        sa.Column("acknowledged", sa.BigInteger, nullable=False),
        sa.Column("expiry", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chunk",
        sa.Column("content", sa.LargeBinary(16), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slot",
        sa.Column("mailbox", sa.LargeBinary(16), primary_key=True),
        sa.Column("recipient", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("page", sa.LargeBinary, nullable=False),
        sa.Column("listed", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_roster() -> None:
    op.create_table(
        "recipient",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(32), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("last_serial", sa.BigInteger, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
    )
    op.create_table(
        "notice",
        sa.Column("recipient", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
    )
