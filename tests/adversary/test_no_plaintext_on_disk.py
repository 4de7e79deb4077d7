"""A full round on a fresh disk leaves no word of it there: not even in what was deleted."""

import secrets
from pathlib import Path

import pytest
from rawdisk import RawDisk, can_mount

from protocol.receipt import dice_number
from tests.journeys.demonstration import run_demonstration
from tests.journeys.people import Counselor, Courier, Reporter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.claim("C1"),
    pytest.mark.skipif(not can_mount(), reason="mounting an image needs root"),
]

EVERYBODY = ("counselor-1", "counselor-2", "head")


def canary(name: str) -> str:
    return f"canary-{name}-{secrets.token_hex(12)}"


def test_no_word_of_a_full_round_lies_on_the_raw_disk(tmp_path: Path) -> None:
    disk = RawDisk(tmp_path)
    text, name, content, follow_up, reply = map(
        canary, ("text", "name", "content", "follow-up", "reply")
    )
    body = (content.encode() + b"\n") * 40_000  # over two megabytes: any spool would show
    with run_demonstration(disk.mounted / "data", confine=disk.confine) as demonstration:
        seen = disk.seen_from(demonstration.pid)
        reporter = Reporter(demonstration.reporter)
        courier = Courier(demonstration.courier)
        key = tmp_path / "key.asc"
        key.write_bytes((seen / "data/demo/counselor.secret.asc").read_bytes())
        relay = tmp_path / "relay.asc"
        relay.write_bytes((seen / "data/relay.asc").read_bytes())
        counselor = Counselor(tmp_path / "desk", key=key, relay=relay)

        reporter.opens_the_form()
        sent = reporter.sends(text, to=EVERYBODY, files=[(f"{name}.txt", body)])
        assert sent.status == 200
        reporter.acts(
            reporter.opens_the_mailbox(),
            "message",
            [("text", follow_up), *(("recipients", one) for one in EVERYBODY)],
        )
        reporter.opens_the_mailbox("wrong words " + text)
        counselor.imports(courier.takes_a_bundle(tmp_path / "bundle.zip"))
        counselor.replies(counselor.lists()[0]["case"], reply)
        assert courier.brings(counselor.exports(tmp_path / "dispatch")).status == 200
        assert reply in reporter.opens_the_mailbox().text

        control = canary("control")
        (seen / "tmp" / "deleted").write_text(control)
        (seen / "tmp" / "deleted").unlink()
        log = demonstration.log.read_text()

    words = " ".join(reporter.paper)
    secret = {
        "text": text,
        "file name": name,
        "file": content,
        "follow-up": follow_up,
        "reply": reply,
        "receipt": words,
        "receipt with hyphens": "-".join(reporter.paper),
        "receipt as numbers": " ".join(map(dice_number, reporter.paper)),
    }
    canaries = {what: value.encode() for what, value in secret.items()}
    assert disk.find(canaries | {"control": control.encode()}) == {"control"}
    assert not [what for what, value in secret.items() if value in log]
