"""What tor's events become, and what is said when nobody answers."""

from pathlib import Path

import pytest
from stem.response import ControlMessage

from onion.address import OnionAddress
from onion.control import (
    Bootstrap,
    CircuitCloser,
    ClockSkew,
    Control,
    Event,
    Reloaded,
    Uploaded,
    UploadFailed,
    read_event,
)
from onion.places import Places
from onion.status import read_health
from protocol.errors import OnionError

ADDRESS = OnionAddress("2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid")
HSDIR = "$BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB~node1"


@pytest.mark.parametrize(
    ("said", "event"),
    [
        (
            'STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=45 TAG=x SUMMARY="Asking for relays"',
            Bootstrap(45, "Asking for relays"),
        ),
        (
            'STATUS_CLIENT WARN BOOTSTRAP PROGRESS=10 TAG=x SUMMARY="Connecting"'
            ' WARNING="Connection refused" REASON=CONNECTREFUSED COUNT=1',
            Bootstrap(10, "Connecting", "Connection refused"),
        ),
        ("STATUS_GENERAL WARN CLOCK_SKEW SKEW=-3600 MIN_SKEW=0 SOURCE=CONSENSUS", ClockSkew(-3600)),
        ("STATUS_GENERAL WARN CLOCK_SKEW SKEW=+7200 SOURCE=DIRSERV:1.2.3.4:80", ClockSkew(7200)),
        ("STATUS_GENERAL WARN CLOCK_SKEW SOURCE=CONSENSUS", None),
        ("STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED", None),
        ("SIGNAL RELOAD", Reloaded()),
        ("SIGNAL NEWNYM", None),
        (f"HS_DESC UPLOADED {ADDRESS} UNKNOWN {HSDIR}", Uploaded(ADDRESS)),
        (f"HS_DESC UPLOAD {ADDRESS} UNKNOWN {HSDIR} desc HSDIR_INDEX=AB", None),
        (
            f"HS_DESC FAILED {ADDRESS} UNKNOWN {HSDIR} REASON=UPLOAD_REJECTED",
            UploadFailed(ADDRESS, "UPLOAD_REJECTED"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_event_of_tor_is_translated(said: str, event: Event | None) -> None:
    message = ControlMessage.from_str(f"650 {said}\r\n", "EVENT", normalize=False)
    assert read_event(message) == event


def test_control_where_nobody_listens_is_refused_in_words(tmp_path: Path) -> None:
    for ask in (Control, lambda path: CircuitCloser(path).close_circuit(1)):
        with pytest.raises(OnionError, match="is it running"):
            ask(tmp_path / "control")


def test_status_of_a_relay_that_is_down_says_what_is_well_and_what_is_not(places: Places) -> None:
    health = {check.subject: check for check in read_health(places)}
    assert not health["addresses"].is_well
    assert "sotto onion address" in health["addresses"].sentence
