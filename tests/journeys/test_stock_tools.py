"""What is sent comes out of stock gpg, sq and unzip byte for byte, and only for the chosen."""

import hashlib
import json
import secrets
from pathlib import Path

import pytest

from tests.journeys.demonstration import Demonstration
from tests.journeys.people import Courier, Reporter
from tests.journeys.stock import StockGpg, sq_decrypts, stock_gpg, unzips

pytestmark = [pytest.mark.slow, pytest.mark.claim("C7")]

ARABIC = "كان المخزن فارغا قبل التدقيق، وكان المفتاح عند شخص واحد. " * 100
FILES = {
    "تقرير المخزن — نسخة أخيرة.pdf": secrets.token_bytes(70_001),
    "../../etc/пароли & 'ключи'.tar.gz": secrets.token_bytes(5),
    'a "quoted" \u202egnp.exe': b"",
}
MIB = 1024 * 1024


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    with path.open("wb") as file:
        for _ in range(300):
            file.write(secrets.token_bytes(MIB))
    return path


def envelopes_that_open(bundle: Path, gpg: StockGpg, to: Path) -> dict[str, Path]:
    """Return the archives that this keyring opens, by the kind of what lies in them."""
    opened = {}
    for envelope in sorted((bundle / "envelopes").iterdir()):
        archive = to / f"{envelope.stem}.zip"
        if gpg.decrypts(envelope, archive):
            folder = unzips(archive, to / envelope.stem)
            kind = json.loads((folder / "report.json").read_text())["kind"]
            if kind != "cover":
                opened[envelope.stem] = folder
    return opened


@pytest.mark.claim("C5")
def test_an_arabic_report_with_odd_and_huge_files_opens_in_stock_tools_for_its_readers_alone(
    demonstration: Demonstration,
    reporter: Reporter,
    courier: Courier,
    big_file: Path,
    tmp_path: Path,
) -> None:
    text = f"\n\t{ARABIC}"[:4998] + " \n"
    warming = Reporter(demonstration.reporter)
    warming.opens_the_form()
    small = demonstration.grown_bytes(lambda: warming.sends("x", to=("counselor-2",)))
    assert small > 32 * MIB  # Argon2's own 64 MiB are seen, so growth would be seen
    reporter.opens_the_form()
    files = [*FILES.items(), ("big.bin", big_file)]
    sent = []
    large = demonstration.grown_bytes(
        lambda: sent.append(reporter.sends(text, to=("counselor-1", "head"), files=files))
    )
    assert sent[0].status == 200
    assert large - small < 64 * MIB

    bundle = unzips(courier.takes_a_bundle(tmp_path / "bundle.zip"), tmp_path / "bundle")
    keys = demonstration.data / "demo"
    with stock_gpg(demonstration.certificate, demonstration.key) as gpg:
        assert gpg.verifies(bundle / "bundle.json.asc", bundle / "bundle.json")
        opened = envelopes_that_open(bundle, gpg, tmp_path)
    assert len(opened) == 1
    (name, folder), *_ = opened.items()
    report = json.loads((folder / "report.json").read_text())
    assert report["text"] == text
    assert "المخزن" in (folder / "report.txt").read_text()
    assert report["left_out"] == ["counselor-2"]

    attached = sorted((folder / "attachments").iterdir())
    contents = [*(hashlib.sha256(c).hexdigest() for c in FILES.values()), sha256(big_file)]
    assert [sha256(path) for path in attached] == contents
    assert attached[0].name == "001-تقرير المخزن — نسخة أخيرة.pdf"
    assert all("/" not in path.name and "\u202e" not in path.name for path in attached)

    envelope = bundle / "envelopes" / f"{name}.pgp"
    by_sq = tmp_path / "by-sq.zip"
    assert sq_decrypts(envelope, demonstration.key, by_sq)
    assert sha256(by_sq) == sha256(tmp_path / f"{name}.zip")
    with stock_gpg(keys / "counselor-2.secret.asc") as left_out:
        assert not left_out.decrypts(envelope, tmp_path / "never")
    with stock_gpg(keys / "head.secret.asc") as other_reader:
        assert other_reader.decrypts(envelope, tmp_path / "by-head.zip")
    assert sha256(tmp_path / "by-head.zip") == sha256(by_sq)
