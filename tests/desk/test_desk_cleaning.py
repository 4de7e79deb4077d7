"""A file without its metadata: cleaned by mat2 in a room without doors."""

import shutil
import subprocess
from pathlib import Path

import pytest
from relayside import NOW, FakeRelay
from test_desk_pictures import CANARY, taken

from desk import cleaning
from desk.cleaning import can_clean, clean
from desk.extracting import extract_case
from desk.importing import import_bundle
from desk.records import CaseRecord
from desk.vault import Vault
from protocol.derivation import ReporterKeys
from protocol.errors import CapacityError, FormatError, StorageError

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def programs() -> None:
    if not can_clean():
        pytest.skip("mat2 or bubblewrap is not installed")


def test_a_photograph_loses_what_it_says_of_its_maker() -> None:
    picture = taken("JPEG")
    assert CANARY.encode() in picture
    with clean([picture[:100], picture[100:]], "photo.JPG") as cleaned:
        content = cleaned.read()
    assert content.startswith(b"\xff\xd8")
    assert CANARY.encode() not in content


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"MZ", "tool.exe", id="a kind that mat2 does not know"),
        pytest.param(b"no picture", "photo.jpg", id="damaged"),
        pytest.param(b"x", "x.jpg;touch ~", id="an ending that is none"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_with_a_sentence(content: bytes, name: str) -> None:
    with pytest.raises(FormatError, match="could not clean"):
        clean([content], name)


def test_a_file_that_is_too_large_is_refused_before_it_is_read_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cleaning, "FILE_BYTES", 10)
    with pytest.raises(CapacityError, match="too large"):
        clean(iter([b"123456", b"789012"]), "a.txt")


def test_a_machine_that_makes_no_sandbox_is_told_apart_from_a_bad_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cleaning, "_SANDBOX", ("bwrap", "--ro-bind", "/nowhere", "/"))
    with pytest.raises(StorageError, match="sandbox"):
        clean([taken("PNG")], "a.png")


def test_the_room_shows_no_disk_of_this_machine_and_no_network(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    asks = f"ls /; cat {tmp_path}/secret; ls /proc | grep -c '^[0-9]'; cat /proc/net/dev"
    done = subprocess.run(
        [*cleaning._SANDBOX, "--", "sh", "-c", asks], capture_output=True, text=True, check=False
    )
    shown, *processes = done.stdout.split("\n")[:7], done.stdout.split("\n")[7]
    assert set(shown) == {"bin", "dev", "lib", "lib64", "proc", "room", "usr"}
    assert int(processes[0]) < 6  # its own: the sandbox, the shell, ls and grep
    assert [one.split(":")[0].strip() for one in done.stdout.split("\n") if ":" in one] == ["lo"]


def test_files_of_a_case_are_written_cleaned_and_what_cannot_be_is_left_out(
    desk: Vault, relay: FakeRelay, reporter: ReporterKeys, bundle: Path, tmp_path: Path
) -> None:
    files = {"photo.jpg": taken("JPEG"), "tool.exe": b"MZ"}
    import_bundle(desk, relay.cut(bundle, [relay.send(reporter, files=files)]), now=NOW)
    (case,) = desk.all(CaseRecord)
    with pytest.raises(FormatError, match=r"002-tool\.exe"):
        extract_case(desk, case, tmp_path / "out", cleaned=True)
    written = list((tmp_path / "out" / "001-report" / "attachments").iterdir())
    assert [one.name for one in written] == ["001-photo.jpg"]
    assert CANARY.encode() not in written[0].read_bytes()


def test_without_the_programs_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "bwrap" else found(name))
    assert not can_clean()
