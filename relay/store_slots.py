"""Slots: one sealed page for each recipient in each mailbox, rewritten by each dispatch.

A dispatch changes every slot of its counselor, in the order of the mailboxes'
names, so that neither what changed nor where it lies in the file tells who was
answered (C2). Everything that one dispatch brings happens in one transaction.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from protocol.dispatch import Notice
from protocol.errors import AuthenticityError, FormatError
from protocol.names import EnvelopeId, Fingerprint, MailboxId, RecipientName
from relay.rows import Month, Recipient
from relay.schema import notice, recipient, slot
from relay.store_acknowledgements import AcknowledgementShelf, Heard, hear
from relay.store_recipients import active_recipients, change_certificate, find_active

ROWS_AT_ONCE = 64  # 64 pages of 17,520 bytes: about a megabyte in memory


@dataclass(frozen=True, kw_only=True)
class DispatchRows:
    """What a verified dispatch asks of the store.

    Attributes:
        recipient: who signed it.
        serial: of this dispatch; has to be greater than her last.
        slots: her sealed pages, mailboxes in ascending order, none twice.
        acknowledgements: envelope ids, each with SHA-256 of the token she gave.
        month: the month of the relay's clock.
        empty: makes a fresh slot that opens for nobody.
        notices: her public texts; they replace the former ones.
        successor: her next certificate and its fingerprint, or None.
    """

    recipient: RecipientName
    serial: int
    slots: Iterable[tuple[MailboxId, bytes]]
    acknowledgements: Iterable[tuple[EnvelopeId, bytes]]
    month: Month
    empty: Callable[[], bytes]
    notices: tuple[Notice, ...] = ()
    successor: tuple[Fingerprint, bytes] | None = None


class SlotShelf(AcknowledgementShelf):
    """The part of the store that holds mailboxes."""

    def slots_of(self, mailbox: MailboxId) -> dict[RecipientName, bytes]:
        """Return the sealed pages of a mailbox by recipient, retired ones included.

        Returns:
            An empty dictionary when no desk has written to this mailbox yet.
        """
        with self._reading() as connection:
            rows = connection.execute(
                select(recipient.c.name, slot.c.page)
                .join(recipient, recipient.c.number == slot.c.recipient)
                .where(slot.c.mailbox == mailbox)
                .order_by(slot.c.recipient)
            )
            return {RecipientName(name): page for name, page in rows}

    def apply_dispatch(self, rows: DispatchRows) -> None:
        """Apply a verified dispatch: all of it in one transaction, or nothing.

        Raises:
            AuthenticityError: the serial is not newer than her last one.
            FormatError: the slots are out of order.
            KeyMaterialError: she is no active recipient, or the successor is
                another recipient's certificate.
            StorageError: the disk fails.
        """
        with self._hearing:
            with self._writing() as connection:
                heard = self._apply(connection, rows)
            self._heard = heard

    def _apply(self, connection: Connection, rows: DispatchRows) -> dict[EnvelopeId, Heard]:
        signer = find_active(connection, rows.recipient)
        if rows.serial <= signer.last_serial:
            raise AuthenticityError(
                "This dispatch is not newer than the last one that was accepted "
                "from this counselor; export a new one at the desk."
            )
        _rewrite_slots(connection, signer, rows)
        heard = hear(connection, signer, rows.acknowledgements, self._heard)
        _replace_notices(connection, signer, rows.notices)
        connection.execute(
            update(recipient)
            .where(recipient.c.number == signer.number)
            .values(last_serial=rows.serial)
        )
        if rows.successor is not None:
            fingerprint, certificate = rows.successor
            change_certificate(connection, signer, certificate, fingerprint)
        return heard

    def notices(self) -> tuple[tuple[RecipientName, Notice], ...]:
        """Return the public texts of the active recipients, in fixed order."""
        with self._reading() as connection:
            rows = connection.execute(
                select(recipient.c.name, notice.c.kind, notice.c.language, notice.c.text)
                .join(recipient, recipient.c.number == notice.c.recipient)
                .where(recipient.c.retired.is_(False))
                .order_by(notice.c.recipient, notice.c.position)
            )
            return tuple(
                (RecipientName(name), Notice(kind=kind, language=language, text=text))
                for name, kind, language, text in rows
            )

    def mailbox_count(self) -> int:
        """Return how many mailboxes there are; cover is among them."""
        with self._reading() as connection:
            return int(
                connection.execute(select(func.count(slot.c.mailbox.distinct()))).scalar_one()
            )


@dataclass
class _Mailbox:
    """What is known of a mailbox while it is rewritten."""

    listed: Month
    holders: int = 0  # bits of the recipients that have a slot in it


def _rewrite_slots(connection: Connection, signer: Recipient, rows: DispatchRows) -> None:
    mailboxes = _mailboxes(connection)
    others = [one for one in active_recipients(connection) if one.number != signer.number]
    connection.execute(delete(slot).where(slot.c.recipient == signer.number))
    listed: list[dict[str, object]] = []
    waiting: list[dict[str, object]] = []
    for mailbox, page, found in _merged(mailboxes, rows.slots):
        month = rows.month if page is not None else found.listed
        if page is not None and found.listed != rows.month:
            listed.append({"its_mailbox": mailbox, "its_month": rows.month})
        own = rows.empty() if page is None else page
        waiting.append(_row(mailbox, signer, own, month))
        waiting += [
            _row(mailbox, one, rows.empty(), month)
            for one in others
            if not found.holders >> one.number & 1
        ]
        if len(waiting) >= ROWS_AT_ONCE:
            connection.execute(insert(slot), waiting)
            waiting.clear()
    if waiting:
        connection.execute(insert(slot), waiting)
    if listed:
        # Equal in every slot of the mailbox: a month that differed from one
        # recipient to the next would tell who lists it, and so who may read it.
        its_mailbox = slot.c.mailbox == bindparam("its_mailbox")
        connection.execute(
            update(slot).where(its_mailbox).values(listed=bindparam("its_month")), listed
        )


def _mailboxes(connection: Connection) -> dict[MailboxId, _Mailbox]:
    """Return every mailbox, in ascending order, with who holds a slot in it."""
    mailboxes: dict[MailboxId, _Mailbox] = {}
    keys = select(slot.c.mailbox, slot.c.recipient, slot.c.listed).order_by(
        slot.c.mailbox, slot.c.recipient
    )
    for mailbox, number, listed in connection.execute(keys):
        found = mailboxes.setdefault(MailboxId(mailbox), _Mailbox(listed=Month(listed)))
        found.holders |= 1 << number
    return mailboxes


def _merged(
    mailboxes: dict[MailboxId, _Mailbox], pages: Iterable[tuple[MailboxId, bytes]]
) -> Iterator[tuple[MailboxId, bytes | None, _Mailbox]]:
    """Yield every mailbox once, in ascending order, with the page that came for it.

    One pass in one order, known and new together: rows are written where the
    file has room, so two passes would leave a trace of who was answered.
    """
    known = list(mailboxes)
    position = 0
    last = b""
    for mailbox, page in pages:
        if mailbox <= last:
            raise FormatError("The slots of a dispatch have to stand in order, none twice.")
        last = mailbox
        while position < len(known) and known[position] < mailbox:
            yield known[position], None, mailboxes[known[position]]
            position += 1
        if position < len(known) and known[position] == mailbox:
            position += 1
        yield mailbox, page, mailboxes.get(mailbox, _Mailbox(listed=Month(-1)))
    for mailbox in known[position:]:
        yield mailbox, None, mailboxes[mailbox]


def _row(mailbox: MailboxId, one: Recipient, page: bytes, listed: Month) -> dict[str, object]:
    return {"mailbox": mailbox, "recipient": one.number, "page": page, "listed": listed}


def _replace_notices(
    connection: Connection, signer: Recipient, notices: tuple[Notice, ...]
) -> None:
    connection.execute(delete(notice).where(notice.c.recipient == signer.number))
    if notices:
        connection.execute(
            insert(notice),
            [
                {"recipient": signer.number, "position": position, **vars(one)}
                for position, one in enumerate(notices)
            ],
        )
