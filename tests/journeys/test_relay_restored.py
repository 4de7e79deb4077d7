"""A rehearsed restoration: the relay is lost after a report and a reply, and goes on elsewhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.secretkey import generate_secret_key, read_secret_key
from onion.address import read_addresses
from onion.places import Places
from tests.journeys.demonstration import run_demonstration
from tests.journeys.people import Counselor, Courier, Reporter, run_command

pytestmark = [pytest.mark.slow, pytest.mark.claim("C3"), pytest.mark.claim("C4")]

EVERYBODY = ("counselor-1", "counselor-2", "head")
PASSPHRASE = "kept off line"


@pytest.fixture
def offline_key(tmp_path: Path) -> Path:
    """The folder with the key that opens backups, its certificate, its passphrase."""
    folder = tmp_path / "safe"
    folder.mkdir()
    secret = generate_secret_key(
        user_id="Backup",
        passphrase=PASSPHRASE,
        created=datetime.now(UTC) - timedelta(days=1),
        expires=None,
    )
    (folder / "backup.secret.asc").write_bytes(secret)
    (folder / "backup.asc").write_bytes(read_secret_key(secret, PASSPHRASE).certificate)
    (folder / "passphrase").write_text(f"{PASSPHRASE}\n")
    return folder


def test_relay_restored_from_its_backup_goes_on_where_people_left_it(
    tmp_path: Path, offline_key: Path
) -> None:
    backup, anew = tmp_path / "backup.pgp", tmp_path / "anew"
    with run_demonstration(tmp_path / "data") as lost:
        courier = Courier(lost.courier)
        counselor = Counselor(tmp_path / "desk", key=lost.key, relay=lost.certificate)
        reporter = _reports(lost.reporter, "The stores were empty.")
        counselor.imports(courier.takes_a_bundle(tmp_path / "b1.zip"))
        case = counselor.lists()[0]["case"]
        counselor.replies(case, "The first question.")
        first = counselor.exports(tmp_path / "d1")
        assert "Accepted" in courier.brings(first).text
        addresses = read_addresses(Places(lost.data))

        # While it serves.
        run_command(
            *f"relay backup --data {lost.data} --to {backup}".split(),
            *f"--recipient {offline_key}/backup.asc".split(),
        )

        counselor.imports(courier.takes_a_bundle(tmp_path / "b2.zip"))
        counselor.replies(case, "The second question.")
        second = counselor.exports(tmp_path / "d2")
        assert "Accepted" in courier.brings(second).text
        late = _reports(lost.reporter, "This comes after the backup.")
        counselor.imports(courier.takes_a_bundle(tmp_path / "b3.zip"))

    run_command(
        *f"relay restore {backup} --key {offline_key}/backup.secret.asc --data {anew}".split(),
        *f"--passphrase-file {offline_key}/passphrase".split(),
    )
    assert read_addresses(Places(anew)) == addresses

    with run_demonstration(anew) as restored:
        courier = Courier(restored.courier)
        reporter = _moved(reporter, restored.reporter)
        assert "The first question." in reporter.opens_the_mailbox().text

        # What the backup knows is refused again; what it does not know brings the relay on.
        assert courier.brings(first).status == 400
        counselor.imports(courier.takes_a_bundle(tmp_path / "b4.zip"))
        third = counselor.exports(tmp_path / "d3")
        assert "Accepted" in courier.brings(third).text
        assert courier.brings(second).status == 400
        assert "The second question." in reporter.opens_the_mailbox().text

        # The desk still has what came after the backup and answers the words of its reporter.
        by_text = {one["case"]: str(counselor.shows(one["case"])) for one in counselor.lists()}
        (later,) = [name for name, shown in by_text.items() if "after the backup" in shown]
        counselor.replies(later, "The third question.")
        assert "Accepted" in courier.brings(counselor.exports(tmp_path / "d4")).text
        mailbox = _moved(late, restored.reporter).opens_the_mailbox()
        assert "The third question." in mailbox.text


def _reports(site: str, text: str) -> Reporter:
    reporter = Reporter(site)
    reporter.opens_the_form()
    assert reporter.sends(text, to=EVERYBODY).status == 200
    return reporter


def _moved(reporter: Reporter, site: str) -> Reporter:
    """The same paper in the same hand; only the test's port is another."""
    moved = Reporter(site)
    moved.paper = reporter.paper
    return moved
