"""Files from the other side of the table: damaged, forged, replayed, or well-formed and wrong."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twodesks import NOW, Desk, Office, affected, answer

from desk.casework.concurrence import import_answer, import_request, requests_asked
from desk.casework.packing import seal_archive
from desk.casework.sharing import export_copy, import_colleague_file
from desk.casework.signedfile import DOCUMENT, SIGNATURE
from desk.casework.verifying import verify_files
from desk.vault import Vault
from keys.certificate import verify_certificate
from protocol.archive import ArchiveFrame, StoredEntry
from protocol.canonical import encode_json
from protocol.derivation import ReporterKeys
from protocol.errors import AuthenticityError, FormatError, SottoError

IMPORTS: list[Callable[..., object]] = [import_request, import_answer, import_colleague_file]


def forge(first: Desk, second: Desk, *, extra: bytes | None = None, **changes: object) -> Path:
    """Write a file that the second counselor really signed, with some members wrong."""
    ordinary: dict[str, object] = {
        "body": {
            "left_out": [],
            "proposal": {
                "action": "mute",
                "case": "AAAA-BBBB",
                "day": "2026-11-20",
                "ground": "",
                "harm": "",
                "kind": "action",
                "proposal": "00" * 16,
                "proposed_by": second.name,
                "reason": "x",
                "target": "y",
                "title": "Mute",
            },
            "spoken": False,
        },
        "case": "AAAA-BBBB",
        "format": 1,
        "from": second.name,
        "id": "00" * 16,
        "made": "2026-11-20T09:00:00Z",
        "parts": [],
        "relay": first.office.relay.id,
        "to": first.name,
        "to_fingerprint": first.counselor.secret_key.fingerprint,
        "type": "sotto request",
    }
    document = encode_json({**ordinary, **changes})
    signature = second.counselor.secret_key.sign_detached(document, created=NOW)
    bodies = {DOCUMENT: document, SIGNATURE: signature}
    if extra is not None:
        bodies["extra"] = extra
    frame = ArchiveFrame([StoredEntry(n, len(b), zlib.crc32(b)) for n, b in bodies.items()])
    path = first.office.stick("forged")
    key = first.counselor.secret_key
    certificate = verify_certificate(key.certificate, pinned=key.fingerprint, now=NOW)
    octets = [(lambda b=b: [b]) for b in bodies.values()]
    path.write_bytes(b"".join(seal_archive(frame, octets, certificate=certificate, name="x.zip")))
    return path


def test_the_forger_of_this_table_writes_a_file_that_is_taken_when_nothing_is_wrong(
    both: tuple[Desk, Desk],
) -> None:
    first, second = both
    asked = import_request(first.vault, forge(first, second), now=NOW)
    assert (asked.by, asked.target) == ("counselor-2", "y")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"to": "head"}, AuthenticityError, id="made for another counselor"),
        pytest.param({"to_fingerprint": "A" * 40}, AuthenticityError, id="for another key"),
        pytest.param({"relay": "B" * 40}, AuthenticityError, id="of another relay"),
        pytest.param({"type": "sotto answer"}, AuthenticityError, id="another kind"),
        pytest.param({"type": "sotto love letter"}, AuthenticityError, id="no kind"),
        pytest.param({"format": 2}, FormatError, id="a future format"),
        pytest.param({"case": "AAAA-CCCC"}, AuthenticityError, id="two cases in one"),
        pytest.param({"case": "A\n0  x"}, FormatError, id="a line for the record to sign"),
        pytest.param({"made": "tomorrow"}, FormatError, id="no time"),
        pytest.param({"from": "head"}, AuthenticityError, id="in somebody else's name"),
        pytest.param({"from": "nobody"}, SottoError, id="in nobody's name"),
        pytest.param({"body": []}, FormatError, id="no body"),
        pytest.param({"more": 1}, FormatError, id="a member that nobody knows"),
        pytest.param({"extra": b"x"}, AuthenticityError, id="a part that is not listed"),
        pytest.param(
            {"parts": [{"name": "gone", "sha256": "00" * 32}]},
            AuthenticityError,
            id="a part that is not there",
        ),
    ],
)
def test_a_well_signed_request_with_a_wrong_member_is_refused_and_leaves_nothing(
    both: tuple[Desk, Desk], changes: dict[str, object], error: type[SottoError]
) -> None:
    first, second = both
    path = forge(first, second, **changes)  # type: ignore[arg-type]  # members by name
    with pytest.raises(error):
        import_request(first.vault, path, now=NOW)
    assert requests_asked(first.vault) == []
    assert first.vault.objects.names() == set()


@pytest.mark.clause("P16")
def test_a_request_about_a_case_that_leaves_her_out_is_refused_by_her_own_desk(
    both: tuple[Desk, Desk],
) -> None:
    first, second = both
    ordinary = forge(first, second)
    assert ordinary.exists()
    body = {
        "left_out": [first.name],
        "proposal": {
            "action": "mute",
            "case": "AAAA-BBBB",
            "day": "2026-11-20",
            "ground": "",
            "harm": "",
            "kind": "action",
            "proposal": "00" * 16,
            "proposed_by": second.name,
            "reason": "x",
            "target": "y",
            "title": "Mute",
        },
        "spoken": False,
    }
    with pytest.raises(AuthenticityError, match="left you out"):
        import_request(first.vault, forge(first, second, body=body), now=NOW)
    assert requests_asked(first.vault) == []


@pytest.mark.parametrize("take", IMPORTS)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.binary(max_size=300))
def test_any_bytes_on_a_stick_are_refused_with_a_sentence(
    first: Desk, tmp_path: Path, data: bytes, take: Callable[..., object]
) -> None:
    path = tmp_path / "anything"
    path.write_bytes(data)
    with pytest.raises(SottoError):
        take(first.vault, path, now=NOW)


def test_a_copy_cut_short_anywhere_is_refused_with_a_sentence(
    both: tuple[Desk, Desk], office: Office, reporter: ReporterKeys
) -> None:
    first, second = both
    office.writes(reporter, *affected(), answer("how", "slowly"))
    for desk in both:
        desk.imports()
    path = office.stick("copy")
    export_copy(first.vault, first.case(reporter), second.name, path, now=NOW)
    whole = path.read_bytes()
    before = _objects(second.vault)
    for length in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:length])
        with pytest.raises(SottoError):
            import_colleague_file(second.vault, path, now=NOW)
    assert _objects(second.vault) == before


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    files=st.dictionaries(
        st.sampled_from(["0001.link", "0001.link.asc", "0001.entry", "key.asc", "0002.link"]),
        st.binary(max_size=200),
    )
)
def test_any_bytes_in_the_files_of_a_record_are_refused_with_a_sentence(
    files: dict[str, bytes],
) -> None:
    with pytest.raises(SottoError):
        verify_files(files, trusted=["A" * 40])  # type: ignore[list-item]  # a fingerprint


def _objects(vault: Vault) -> set[str]:
    return vault.objects.names()
