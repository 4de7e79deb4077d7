"""What leaves the desk about one case: a page, its record, a hand-over outside (P10, P38)."""

from collections.abc import Callable, Mapping
from pathlib import Path

from flask import Response

from desk.casework.handover import (
    export_case,
    export_record,
    hand_over_on_paper,
    hand_over_sealed,
)
from desk.casework.redaction import missing_consents
from desk.records import CaseRecord
from desk.screens.delivery import FOLDER_FIELD, deliver, deliver_unsealed, place_of
from desk.screens.forms import Field, Form, Kind, Task, Typed
from desk.screens.handling import case_page
from desk.screens.session import now
from desk.vault import Vault
from protocol import limits

_OUT = Field(
    name="out",
    label="A new folder for it",
    hint="As /media/stick/for-the-committee. What lies there is not sealed any more.",
)

_OUTSIDE = (
    Field(name="to", label="What the body is called"),
    Field(name="reason", label="Why", kind=Kind.LONG),
    Field(name="certificate", label="Its certificate", kind=Kind.FILE),
    Field(
        name="fingerprint",
        label="The fingerprint of it",
        hint="As compared with that body by voice.",
    ),
    FOLDER_FIELD,
)


def page(vault: Vault, case: CaseRecord) -> Task:
    """Write one case as a page with its record, redacted by consent (P10, P24, P34)."""

    def do(typed: Typed) -> str:
        out = place_of(typed, "out")
        export_case(
            vault,
            case,
            out,
            name_reported=typed.tick("name-reported"),
            with_notes=typed.tick("with-notes"),
            why=typed.one("why"),
            now=now(),
        )
        return f"The export lies in {out}. Read case.html before anybody gets it."

    return Task(
        form=Form(
            title="Export the case",
            lead=(
                "What is not consented to is blacked out, in the page and in the record.",
                "Read it before it leaves: names in free text are found as far as they are known.",
            ),
            fields=(
                Field(name="why", label="For whom it is, and why", kind=Kind.LONG),
                Field(
                    name="name-reported",
                    label="The reader needs the name of the person reported",
                    kind=Kind.TICK,
                ),
                Field(name="with-notes", label="With your notes", kind=Kind.TICK),
                _OUT,
            ),
            button="Write the export",
            back=case_page(case),
        ),
        do=do,
    )


def record(vault: Vault, case: CaseRecord) -> Task:
    """Write the record as files that stock tools verify (P35)."""

    def do(typed: Typed) -> str:
        out = place_of(typed, "out")
        export_record(vault, case, out, redacted=not typed.tick("whole"), now=now())
        return f"The record lies in {out}; sha256sum and gpg verify it."

    return Task(
        form=Form(
            title="Export the record",
            fields=(
                Field(
                    name="whole",
                    label="The whole record, also what the consents do not cover",
                    hint="It holds every name and note. Hand it to nobody as it is.",
                    kind=Kind.TICK,
                ),
                _OUT,
            ),
            button="Write the record",
            back=case_page(case),
        ),
        do=do,
    )


def outside(vault: Vault, case: CaseRecord) -> Task:
    """Hand the case to a body outside, sealed to its key or on paper (P38)."""
    missing = missing_consents(vault, case)

    def do(typed: Typed) -> str | Response:
        to, reason, chosen = typed.one("to"), typed.one("reason"), typed.files("certificate")
        certificate = chosen[0].stream.read(limits.CERTIFICATE_BYTES) if chosen else b""

        def write(path: Path) -> None:
            hand_over_sealed(
                vault,
                case,
                path,
                certificate=certificate,
                fingerprint=typed.one("fingerprint"),
                to=to,
                reason=reason,
                now=now(),
            )

        done = "The hand-over is written."
        if certificate:
            return deliver(write, f"{case.name}-hand-over.pgp", typed, done=done)
        return deliver_unsealed(
            lambda: hand_over_on_paper(vault, case, to=to, reason=reason, now=now()),
            f"{case.name}-to-print.html",
            typed,
            done=done,
        )

    return Task(
        form=Form(
            title="Hand over to a body outside",
            lead=()
            if missing
            else (
                "Every consent that it needs is there.",
                "With a certificate it is sealed to that body; without one it is a page to print.",
            ),
            stop=f"Not consented to yet: {', '.join(missing)}. Ask in a reply first, or make a "
            "redacted export."
            if missing
            else "",
            fields=_OUTSIDE,
            button="Hand over",
            back=case_page(case),
            danger=True,
        ),
        do=do,
    )


TASKS: Mapping[str, tuple[str, Callable[[Vault, CaseRecord], Task]]] = {
    "export": ("Export the case", page),
    "record": ("Export the record", record),
    "outside": ("Hand over outside", outside),
}
