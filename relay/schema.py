"""The tables: the whole data model of the relay, and nothing that it must not know.

There is no column for a time, an address or a sequence number of an item. A row id
of SQLite's own would number the reports in the order in which they came, so tables
that hold items are WITHOUT ROWID; but that of a chunk is its random place, because
SQLite reads large rows whole to compare any other key (decision 0004).
relay/migrations builds these tables; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData()

PLACE = BigInteger().with_variant(Integer, "sqlite")  # INTEGER, by which SQLite means the row id

envelope = Table(
    "envelope",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("memo", LargeBinary(1024), nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False),  # zeros once the content has left
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("crc32", BigInteger, nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("acknowledged", BigInteger, nullable=False),  # one bit for each recipient.number
    Column("expiry", Integer, nullable=False),  # Month
    Column("content", BigInteger, nullable=True),  # ContentId; NULL once the content has left
    sqlite_with_rowid=False,
)

chunk = Table(
    "chunk",
    metadata,
    Column("place", PLACE, primary_key=True, autoincrement=False),  # content + 0, 1, 2 …
    Column("ciphertext", LargeBinary, nullable=False),
)

slot = Table(
    "slot",
    metadata,
    Column("mailbox", LargeBinary(16), primary_key=True),
    Column("recipient", Integer, primary_key=True, autoincrement=False),  # recipient.number
    Column("page", LargeBinary, nullable=False),
    Column("listed", Integer, nullable=False),  # Month; equal for all slots of one mailbox
    sqlite_with_rowid=False,
)

recipient = Table(
    "recipient",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String(32), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("last_serial", BigInteger, nullable=False),
    Column("retired", Boolean, nullable=False),
)

cut = Table(
    "cut",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, nullable=False),
    Column("hour", Integer, nullable=False),  # one of the fixed hours, which are public
    Column("head", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("envelopes", LargeBinary, nullable=False),  # ids of 16 bytes, one after the other
)

notice = Table(
    "notice",
    metadata,
    Column("recipient", Integer, primary_key=True, autoincrement=False),  # recipient.number
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("language", String, nullable=False),
    Column("text", String, nullable=False),
)

policy = Table(
    "policy",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", String, nullable=False),
)

upkeep = Table(
    "upkeep",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False),  # always 0
    Column("purged", Integer, nullable=False),  # Month of the last month-end purge
    Column("roster", BigInteger, nullable=False),  # grows with every change of a recipient
)
