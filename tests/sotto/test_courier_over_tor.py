"""The courier's tool through a real Tor network, with a key and without one."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from onion.client import ClientTor
from tests.journeys.demonstration import run_demonstration
from tests.journeys.people import COMMAND, Counselor, Reporter, run_command
from tests.journeys.test_over_tor import Rehearsal

pytestmark = [pytest.mark.slow, pytest.mark.tor]

EVERYBODY = ("counselor-1", "counselor-2", "head")


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with run_demonstration(tmp_path_factory.mktemp("c") / "d", "--rehearse") as demonstration:
        yield Rehearsal(demonstration)


def test_bundle_and_dispatch_pass_through_the_couriers_onion_service(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    demonstration = rehearsal.demonstration
    reporter = Reporter(demonstration.reporter)
    reporter.opens_the_form()
    reporter.sends("The stores were empty.", to=EVERYBODY)
    stick = tmp_path / "stick"
    stick.mkdir()
    way = f"--site {rehearsal.courier} --socks 127.0.0.1:{rehearsal.socks_port}".split()
    run_command(*f"courier fetch --relay {demonstration.certificate} --to {stick}".split(), *way)
    (bundle,) = stick.iterdir()
    counselor = Counselor(tmp_path / "desk", key=demonstration.key, relay=demonstration.certificate)
    counselor.imports(bundle)
    counselor.replies(counselor.lists()[0]["case"], "Who had the key?")
    dispatch = counselor.exports(tmp_path / "dispatch")
    said = run_command("courier", "push", str(dispatch), *way).stdout
    assert said == "Accepted: dispatch 1 of counselor-1.\n"
    assert "Who had the key?" in reporter.opens_the_mailbox().text


@pytest.mark.claim("C4")
def test_courier_without_a_key_is_told_that_tor_has_none(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    torrc = (rehearsal.demonstration.data / "tor" / "torrc").read_text()
    network = [
        line
        for line in torrc.splitlines()
        if re.match(r"(TestingTorNetwork|DirAuthority|PathsNeeded|AssumeReachable)", line)
    ]
    assert network
    with ClientTor(lines=network) as stranger:
        refused = run_command(
            *f"courier fetch --relay {rehearsal.demonstration.certificate}".split(),
            *f"--to {tmp_path} --site {rehearsal.courier}".split(),
            *f"--socks 127.0.0.1:{stranger.socks_port}".split(),
            refused=True,
        )
    assert "ClientOnionAuthDir" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_doctor_finds_a_published_relay_in_step_with_tor(rehearsal: Rehearsal) -> None:
    status, doctor = (_asks(rehearsal, command) for command in ("status", "doctor"))
    assert status["site for reporters"] and status["site for couriers"]
    # Swap, disk and account are this machine's; what belongs to the relay is well.
    for subject in ("clock", "hidden", "proof of work", "courier keys", "bootstrap", "recipients"):
        assert doctor[subject], subject


def _asks(rehearsal: Rehearsal, command: str) -> dict[str, bool]:
    asked = ["relay", command, "--json", "--data", str(rehearsal.demonstration.data)]
    told = subprocess.run([*COMMAND, *asked], capture_output=True, text=True, check=False).stdout
    return {one["subject"]: one["well"] for one in json.loads(told)}
