"""A whole relay in this process, with people who hold real keys and a clock that can be set."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

from counselor import NOW, Counselor, seal_to
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from keys.certificate import verify_certificate
from protocol.envelope import Envelope
from protocol.names import EnvelopeId, MailboxId
from protocol.replypage import Reply, ReplyPage, seal_reply_page
from relay.app import assemble, create_courier_app, create_reporter_app
from relay.circuit import CircuitLimits, Circuits
from relay.deployment import init_deployment, open_deployment
from relay.parts import Parts
from relay.settings import Settings
from tests.journeys.web import hidden_fields, receipt_words

NAMES = ("counselor-1", "counselor-2", "head")


@dataclass
class Office:
    """A relay and those who read for it."""

    data: Path
    parts: Parts
    people: dict[str, Counselor]
    clock: list[datetime] = field(default_factory=lambda: [NOW])

    def visitor(self) -> FlaskClient:
        return create_reporter_app(self.parts).test_client()

    def courier(self) -> FlaskClient:
        return create_courier_app(self.parts).test_client()

    def held(self) -> dict[EnvelopeId, bytes]:
        """Return every envelope with content, as it lies in the store."""
        store = self.parts.store
        return {
            held.id: b"".join(store.read_content(held.id, 0, held.size_bytes))
            for held in store.envelopes_to_carry(leaving=0)
        }

    def readable(self, who: Counselor) -> dict[EnvelopeId, Envelope]:
        """Return what somebody can read of it, however she got hold of the bytes."""
        opened = {
            envelope: who.open(sealed, envelope, self.parts.deployment.relay_id)
            for envelope, sealed in self.held().items()
        }
        return {envelope: found for envelope, found in opened.items() if found is not None}

    def answers(
        self, name: str, text: str, *, serial: int = 1, status: str = "", outcome: str = ""
    ) -> TestResponse:
        """Bring a dispatch of somebody who acknowledges and answers all that she can read."""
        who, relay = self.people[name], self.parts.deployment.relay_id
        known = {one.report.mailbox: one.report for one in self.readable(who).values()}
        slots = [
            (
                mailbox,
                seal_reply_page(_page(who, mailbox, text, status, outcome), report.reply_public),
            )
            for mailbox, report in known.items()
        ]
        read = {envelope: one.report.read_token for envelope, one in self.readable(who).items()}
        tokens = [(one, read.get(one, secrets.token_bytes(32))) for one in self.held()]
        head = who.dispatch_head(relay, serial, slots=sorted(slots), tokens=tokens)
        key = self.parts.deployment.relay_key
        certificate = verify_certificate(key.certificate, pinned=key.fingerprint, now=NOW)
        sealed = seal_to(certificate, who.pack(head, slots=slots))
        data = {"dispatch": (BytesIO(sealed), "dispatch")}
        return self.courier().post("/dispatch", data=data, content_type="multipart/form-data")

    def texts(self, name: str) -> list[str]:
        """Return the texts that a person of this name can read, in no order."""
        return sorted(found.report.text for found in self.readable(self.people[name]).values())


def make_office(
    folder: Path, *, policy: str = "generic", languages: tuple[str, ...] = ("en",)
) -> Office:
    """Make a relay with two counselors and a head of department."""
    clock = [NOW]
    settings = Settings(demo=True, policy=policy, languages=languages, cover_mean=0.0)
    init_deployment(folder, now=NOW, settings=settings)
    deployment = open_deployment(folder)
    people = {name: Counselor.make(name).join(deployment.store) for name in NAMES}
    circuits = Circuits(
        limits=CircuitLimits(), monotonic=lambda: 0.0, close_circuit=lambda circuit: None
    )
    parts = assemble(deployment, circuits=circuits, clock=lambda: clock[0])
    return Office(data=folder, parts=parts, people=people, clock=clock)


def _page(who: Counselor, mailbox: MailboxId, text: str, status: str, outcome: str) -> ReplyPage:
    return ReplyPage(
        mailbox=mailbox,
        recipient=who.name,
        day=NOW.date(),
        status=status,
        acknowledge_by=NOW.date() + timedelta(days=14),
        feedback_by=NOW.date() + timedelta(days=90),
        outcome=outcome,
        replies=(Reply(number=1, day=NOW.date(), text=text),),
    )


@dataclass
class Visitor:
    """A reporter with a browser, on a relay in this process."""

    client: FlaskClient
    paper: tuple[str, ...] = ()
    form: dict[str, str] = field(default_factory=dict)

    def opens_the_form(self, query: str = "") -> TestResponse:
        page = self.client.get(f"/en/report{query}")
        self.paper = receipt_words(page.text)
        self.form = hidden_fields(page.text)
        return page

    def sends(self, text: str, *, to: Sequence[str], **fields: str | Sequence[str]) -> TestResponse:
        return self.posts("/en/report", self.form | {"text": text, "recipients": to} | fields)

    def opens_the_mailbox(self) -> TestResponse:
        return self.posts("/en/receipt", {"receipt": " ".join(self.paper)})

    def acts(self, action: str, **fields: str | Sequence[str]) -> TestResponse:
        """Open the mailbox and post one of its forms."""
        token = hidden_fields(self.opens_the_mailbox().text)["token"]
        return self.posts(f"/en/mailbox/{action}", {"token": token} | fields)

    def posts(self, path: str, fields: dict[str, str | Sequence[str]]) -> TestResponse:
        data: MultiDict[str, str] = MultiDict()
        for name, value in fields.items():
            for one in (value,) if isinstance(value, str) else value:
                data.add(name, one)
        return self.client.post(path, data=data, content_type="multipart/form-data")
