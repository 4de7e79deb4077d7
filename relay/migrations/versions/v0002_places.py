"""Chunks by a place, one number, instead of an id and a number (decision 0004)."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CONTENT_CHUNKS = 2**14
CONTENTS = 2**63 // CONTENT_CHUNKS


def upgrade() -> None:
    """Move the chunks of every envelope to a place; those of uploads that died stay behind."""
    op.create_table(
        "placed",
        sa.Column(
            "place",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    )
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute("ALTER TABLE placed ALTER COLUMN ciphertext SET STORAGE EXTERNAL")
    op.add_column("envelope", sa.Column("place", sa.BigInteger))
    _move()
    op.drop_table("chunk")
    op.rename_table("placed", "chunk")
    op.drop_column("envelope", "content")
    op.execute("ALTER TABLE envelope RENAME COLUMN place TO content")
    if is_postgresql:
        op.execute("ALTER INDEX placed_pkey RENAME TO chunk_pkey")  # maintenance knows it so


def _move() -> None:
    connection = op.get_bind()
    named = sa.text("SELECT content FROM envelope WHERE content IS NOT NULL")
    for content in connection.execute(named).scalars().all():
        moved = {"content": content, "place": secrets.randbelow(CONTENTS) * CONTENT_CHUNKS}
        for statement in (
            "INSERT INTO placed SELECT :place + number, ciphertext FROM chunk"
            " WHERE content = :content",
            "UPDATE envelope SET place = :place WHERE content = :content",
        ):
            connection.execute(sa.text(statement), moved)
