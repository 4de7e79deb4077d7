"""Cuts: what the current bundle holds, frozen until the next one."""

import threading
from datetime import date

from sqlalchemy import Engine, delete, func, insert, select

from protocol.errors import StorageError
from protocol.names import EnvelopeId
from relay.rows import Cut, HeldEnvelope
from relay.schema import cut, envelope, policy
from relay.store_acknowledgements import IDS_AT_ONCE, AcknowledgementShelf
from relay.store_envelopes import HELD_COLUMNS, read_held, split_ids
from relay.store_recipients import active_bits


class CutShelf(AcknowledgementShelf):
    """The part of the store that knows the current cut.

    Attributes:
        cutting: held while a cut is made up; two at once would make cover twice.
    """

    def __init__(self, *, engine: Engine) -> None:
        """Take the engine that `open_engine` has prepared."""
        super().__init__(engine=engine)
        self.cutting = threading.Lock()

    def envelopes_to_carry(self, *, leaving: int) -> tuple[HeldEnvelope, ...]:
        """Return what a bundle cut now would carry: small ones first, then by id.

        Everything whose content is here and which is not yet both proven and
        acknowledged by every active recipient: a lost stick loses nothing.

        Args:
            leaving: proven contents with this expiry (a Month) or an earlier one
                are not carried, so that the purge that follows may take them.
        """
        with self._reading() as connection:
            everyone = active_bits(connection)
            missing = envelope.c.acknowledged.bitwise_and(everyone) != everyone
            rows = connection.execute(
                select(*HELD_COLUMNS)
                .where(
                    envelope.c.content.is_not(None),
                    ~envelope.c.proven | (missing & (envelope.c.expiry > leaving)),
                )
                .order_by(envelope.c.size_bytes, envelope.c.id)
            )
            return tuple(
                read_held(row)
                for row in rows
                if not self._is_complete(row.id, everyone)
                and (row.expiry > leaving or not self._is_proven(row.id))
            )

    def current_cut(self) -> Cut | None:
        """Return the current cut with its envelopes in the order of the bundle, or None.

        Raises:
            StorageError: an envelope that the cut names has no content.
        """
        with self._reading() as connection:
            row = connection.execute(select(cut)).one_or_none()
            if row is None:
                return None
            ids = split_ids(row.envelopes)
            found: dict[EnvelopeId, HeldEnvelope] = {}
            for at in range(0, len(ids), IDS_AT_ONCE):
                some = select(*HELD_COLUMNS).where(
                    envelope.c.id.in_(ids[at : at + IDS_AT_ONCE]),
                    envelope.c.content.is_not(None),
                )
                found |= {held.id: held for held in map(read_held, connection.execute(some))}
        if len(found) != len(ids):
            raise StorageError("An envelope of the current bundle is missing; cut a new one.")
        return Cut(
            number=row.number,
            day=row.day,
            hour=row.hour,
            head=row.head,
            signature=row.signature,
            envelopes=tuple(found[one] for one in ids),
        )

    def last_cut(self) -> tuple[int, date, int] | None:
        """Return number, day and hour of the current cut without its contents, or None."""
        with self._reading() as connection:
            row = connection.execute(select(cut.c.number, cut.c.day, cut.c.hour)).one_or_none()
            return None if row is None else (row.number, row.day, row.hour)

    def current_head(self) -> bytes:
        """Return the signed head of the current cut, empty before the first one."""
        with self._reading() as connection:
            head: bytes | None = connection.execute(select(cut.c.head)).scalar_one_or_none()
            return head or b""

    def save_cut(self, saved: Cut) -> None:
        """Put a cut in the place of the former one.

        Raises:
            StorageError: the number does not follow the former one, or the disk fails.
        """
        with self._writing() as connection:
            former = connection.execute(select(func.max(cut.c.number))).scalar_one() or 0
            if saved.number != former + 1:
                raise StorageError("Another bundle was cut meanwhile; ask again.")
            connection.execute(delete(cut))
            connection.execute(
                insert(cut).values(
                    number=saved.number,
                    day=saved.day,
                    hour=saved.hour,
                    head=saved.head,
                    signature=saved.signature,
                    envelopes=b"".join(held.id for held in saved.envelopes),
                )
            )

    def skip_cuts(self, count: int, *, day: date) -> None:
        """Leave numbers of cuts unused, in a relay restored from a backup.

        Desks refuse a bundle with a lower number than one they have seen, and the lost relay
        cut bundles after its backup. The caller cuts at once: until then there is no bundle
        that could be handed out.

        Args:
            count: more than the lost relay can have used.
            day: of the restoration.
        """
        with self._writing() as connection:
            former = connection.execute(select(func.max(cut.c.number))).scalar_one() or 0
            connection.execute(delete(cut))
            unsigned = {"head": b"", "signature": b"", "envelopes": b""}
            connection.execute(
                insert(cut).values(number=former + count, day=day, hour=0, **unsigned)
            )

    def set_policy(self, name: str, version: str) -> None:
        """Remember which policy is in force; the bundle tells the desks."""
        with self._writing() as connection:
            connection.execute(delete(policy))
            connection.execute(insert(policy).values(name=name, version=version))

    def policy_in_force(self) -> tuple[str, str] | None:
        """Return name and version of the policy in force, or None before the first start."""
        with self._reading() as connection:
            row = connection.execute(select(policy.c.name, policy.c.version)).one_or_none()
            return None if row is None else (row.name, row.version)
