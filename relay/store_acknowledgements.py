"""Acknowledgements: gathered in memory, on the disk only once they are complete.

"Read by somebody, and not acknowledged by her who has acknowledged newer ones" would tell a
seizer who could not open an envelope: who was left out, where cover cannot be meant. When all
acknowledgements and a proof are there, is the same whoever could open it, so only that is
written (C2). A restart forgets what was gathered, and loses nothing: a bundle carries an
envelope until then, and a desk acknowledges all of its last bundle in every dispatch.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, select, update

from protocol.names import EnvelopeId
from relay.database import Database
from relay.rows import Recipient
from relay.schema import envelope
from relay.store_recipients import active_bits

IDS_AT_ONCE = 500  # below SQLite's limit of variables in one statement


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What dispatches said of an envelope since the relay was started.

    Attributes:
        proven: somebody has shown its read-token.
        acknowledged: bits of the recipients who have acknowledged it.
    """

    proven: bool
    acknowledged: int

    def is_complete(self, everyone: int) -> bool:
        """Whether it is proven and nobody's acknowledgement is missing."""
        return self.proven and self.acknowledged & everyone == everyone


class AcknowledgementShelf(Database):
    """The part of the store that knows what was read and not yet by whom."""

    def __init__(self, *, engine: Engine) -> None:
        """Take the engine that `open_engine` has prepared."""
        super().__init__(engine=engine)
        self._hearing = threading.Lock()
        self._heard: dict[EnvelopeId, Heard] = {}

    def _is_proven(self, envelope_id: bytes) -> bool:
        """Say whether somebody has proven to read what the disk does not call proven."""
        heard = self._heard.get(EnvelopeId(envelope_id))
        return heard is not None and heard.proven

    def _is_complete(self, envelope_id: bytes, everyone: int) -> bool:
        heard = self._heard.get(EnvelopeId(envelope_id))
        return heard is not None and heard.is_complete(everyone)


def hear(
    connection: Connection,
    signer: Recipient,
    acknowledgements: Iterable[tuple[EnvelopeId, bytes]],
    before: dict[EnvelopeId, Heard],
) -> dict[EnvelopeId, Heard]:
    """Add what a dispatch acknowledges, and write down what is complete by that.

    Args:
        connection: of the transaction that applies the dispatch.
        signer: whose it is.
        acknowledgements: envelope ids, each with SHA-256 of the token she gave.
        before: what was gathered so far.

    Returns:
        What is gathered once the transaction is committed.
    """
    given = dict(acknowledgements)
    known = dict(before)
    ids = list(given)
    columns = (envelope.c.id, envelope.c.token_hash, envelope.c.proven, envelope.c.acknowledged)
    for at in range(0, len(ids), IDS_AT_ONCE):
        held = envelope.c.id.in_(ids[at : at + IDS_AT_ONCE]) & envelope.c.content.is_not(None)
        for row in connection.execute(select(*columns).where(held)):
            former = before.get(row.id) or Heard(proven=row.proven, acknowledged=row.acknowledged)
            known[row.id] = Heard(
                proven=former.proven or given[row.id] == row.token_hash,
                acknowledged=former.acknowledged | 1 << signer.number,
            )
    return settle(connection, known)


def settle(connection: Connection, heard: dict[EnvelopeId, Heard]) -> dict[EnvelopeId, Heard]:
    """Write down what is complete; return what goes on being gathered."""
    everyone = active_bits(connection)
    complete = {one for one, known in heard.items() if known.is_complete(everyone)}
    if complete:
        connection.execute(
            update(envelope)
            .where(envelope.c.id == bindparam("its_id"))
            .values(proven=True, acknowledged=everyone),
            [{"its_id": one} for one in sorted(complete)],
        )
    return {one: known for one, known in heard.items() if one not in complete}
