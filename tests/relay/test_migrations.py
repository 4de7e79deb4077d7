"""A database of an earlier version is brought to the newest one when it is opened, whole."""

import secrets
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.config import Config
from shelf import THIS_MONTH
from sqlalchemy import Engine, create_engine, text

from protocol.names import EnvelopeId
from relay.rows import CHUNK_BYTES
from relay.store import Store, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        found: str = request.getfixturevalue("sqlite_url")
        return found
    empty: str = request.getfixturevalue("postgres_url")
    return empty


@pytest.fixture
def first_version(url: str) -> Iterator[Engine]:
    """A database as version 0001 made it."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", "relay:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    yield engine
    engine.dispose()


def test_store_of_the_first_version_opens_with_every_envelope_whole(
    first_version: Engine, url: str
) -> None:
    put = {
        EnvelopeId(secrets.token_bytes(16)): secrets.token_bytes(size)
        for size in (16_384, 3 * CHUNK_BYTES + 5)
    }
    for envelope, ciphertext in put.items():
        _store(first_version, envelope, ciphertext)
    _store_chunks(first_version, secrets.token_bytes(16), b"of an upload that died")
    store = open_store(url)
    assert {one: b"".join(store.read_content(one, 0, len(put[one]))) for one in put} == put
    assert store.sweep() == 0, "what belongs to nothing has not come along"
    store.rewrite_files()
    assert {one: b"".join(store.read_content(one, 0, len(put[one]))) for one in put} == put
    store.close()


def test_envelope_of_the_first_version_whose_content_has_left_keeps_its_row(
    first_version: Engine, url: str
) -> None:
    envelope = EnvelopeId(secrets.token_bytes(16))
    _store_row(first_version, envelope, None, 0)
    store: Store = open_store(url)
    assert store.has_envelope(envelope)
    assert store.find_held(envelope) is None
    store.close()


def _store(engine: Engine, envelope: EnvelopeId, ciphertext: bytes) -> None:
    content = secrets.token_bytes(16)
    _store_chunks(engine, content, ciphertext)
    _store_row(engine, envelope, content, len(ciphertext))


def _store_chunks(engine: Engine, content: bytes, ciphertext: bytes) -> None:
    with engine.begin() as connection:
        for number, at in enumerate(range(0, len(ciphertext), CHUNK_BYTES)):
            connection.execute(
                text("INSERT INTO chunk VALUES (:content, :number, :ciphertext)"),
                {
                    "content": content,
                    "number": number,
                    "ciphertext": ciphertext[at : at + CHUNK_BYTES],
                },
            )


def _store_row(
    engine: Engine, envelope: EnvelopeId, content: bytes | None, size_bytes: int
) -> None:
    row = {
        "id": envelope,
        "memo": secrets.token_bytes(1024),
        "token_hash": secrets.token_bytes(32),
        "content": content,
        "size_bytes": size_bytes,
        "sha256": secrets.token_bytes(32),
        "crc32": 0,
        "proven": False,
        "acknowledged": 0,
        "expiry": THIS_MONTH + 24,
    }
    columns = ", ".join(f":{name}" for name in row)
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO envelope VALUES ({columns})"), row)  # noqa: S608  ours
