"""A bundle is resumed where a download broke off, and whatever else is asked for is answered."""

import pytest
from office import Office, Visitor
from werkzeug.test import TestResponse


def take(office: Office, asked: str = "") -> TestResponse:
    headers = {"Range": asked} if asked else {}
    return office.courier().get("/bundle", headers=headers, follow_redirects=True)


@pytest.fixture
def whole(office: Office, visitor: Visitor) -> bytes:
    visitor.opens_the_form()
    visitor.sends("words", to=["counselor-1"])
    office.courier().get("/")  # a demonstration cuts when somebody looks
    return take(office).data


PARTS = {
    "bytes=0-": (0, None),
    "bytes=0-0": (0, 1),
    "bytes=100-199": (100, 200),
    "bytes=100-99999999": (100, None),
    "bytes=-1": (-1, None),
    "bytes=-500": (-500, None),
}


@pytest.mark.parametrize("asked", PARTS)
def test_part_of_a_bundle_is_that_part_of_the_whole(
    office: Office, whole: bytes, asked: str
) -> None:
    answer = take(office, asked)
    start, stop, _ = slice(*PARTS[asked]).indices(len(whole))
    assert answer.status_code == 206
    assert answer.data == whole[start:stop]
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(whole)}"


@pytest.mark.parametrize(
    "asked", ["bytes=-99999999", "bytes=0-1,5-6", "pages=1-2", "bytes=x", "bytes=9-1"]
)
def test_part_that_is_everything_or_unusual_brings_the_whole(
    office: Office, whole: bytes, asked: str
) -> None:
    answer = take(office, asked)
    assert (answer.status_code, answer.data) == (200, whole)


def test_part_behind_the_end_is_refused_with_the_length(office: Office, whole: bytes) -> None:
    answer = take(office, f"bytes={len(whole)}-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"
