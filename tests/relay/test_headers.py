"""Every answer is strict, padded and without a cookie, errors included."""

from collections.abc import Iterator

import pytest
from flask import Flask, Response, abort, make_response, request
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from relay.headers import PAGE_MULTIPLE_BYTES, PageKind, pad_page, present, protect


@pytest.fixture
def client() -> FlaskClient:
    app = Flask(__name__)
    protect(app)

    @app.route("/form", methods=["GET", "POST"])
    def form() -> str:
        return "<!doctype html><title>Form</title><p>" + request.args.get("p", "")

    @app.get("/reply")
    def reply() -> str:
        present(PageKind.REPLY)
        return "<!doctype html><title>Reply</title>"

    @app.get("/progress")
    def progress() -> str:
        present(PageKind.REPLY, framed=True)
        return "<!doctype html><title>Progress</title>"

    @app.get("/style.css")
    def style() -> Response:
        present(PageKind.STATIC)
        response = make_response("p{}")
        response.mimetype = "text/css"
        response.set_etag("abc")
        return response

    @app.get("/bundle")
    def bundle() -> Response:
        present(PageKind.DOWNLOAD)

        def pieces() -> Iterator[bytes]:
            yield b"one"
            yield b"two"

        response = Response(pieces(), mimetype="application/zip")
        response.set_etag("cut-7")
        return response

    @app.get("/refused")
    def refused() -> str:
        abort(413)

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("secret of a reporter")

    @app.get("/cookie")
    def cookie() -> Response:
        response = make_response("x")
        response.set_cookie("session", "1")
        return response

    return app.test_client()


EVERY_PAGE = ["/form", "/reply", "/progress", "/style.css", "/bundle", "/refused", "/broken", "/no"]


@pytest.mark.claim("C6")
@pytest.mark.parametrize("path", EVERY_PAGE)
def test_answer_of_any_kind_has_the_strict_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert {
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
    } <= set(policy)
    assert "script" not in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert not {"Set-Cookie", "Vary", "Last-Modified", "Date", "Server"} & set(headers.keys())


@pytest.mark.parametrize(
    ("path", "cache", "etag"),
    [
        pytest.param("/form", "no-cache, private", False, id="form keeps what was typed on Back"),
        pytest.param("/reply", "no-store", False, id="reply is kept nowhere"),
        pytest.param("/refused", "no-cache, private", False, id="refusal keeps the form"),
        pytest.param("/style.css", "public, max-age=86400", False, id="stylesheet"),
        pytest.param("/bundle", "no-cache, private", True, id="bundle can resume"),
    ],
)
def test_caching_follows_the_kind_of_page(
    client: FlaskClient, path: str, cache: str, etag: bool
) -> None:
    headers = client.get(path).headers
    assert headers["Cache-Control"] == cache
    assert ("ETag" in headers) is etag


@pytest.mark.parametrize(
    ("path", "ancestors", "option"),
    [("/form", "'none'", "DENY"), ("/progress", "'self'", "SAMEORIGIN")],
)
def test_only_a_framed_page_may_be_framed_and_only_by_us(
    client: FlaskClient, path: str, ancestors: str, option: str
) -> None:
    headers = client.get(path).headers
    assert f"frame-ancestors {ancestors}" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == option


@pytest.mark.claim("C2")
@pytest.mark.parametrize("path", ["/form", "/reply", "/progress", "/refused", "/broken", "/no"])
def test_page_of_any_length_fills_a_multiple_of_eight_kibibytes(
    client: FlaskClient, path: str
) -> None:
    response = client.get(path)
    assert len(response.data) % PAGE_MULTIPLE_BYTES == 0
    assert response.content_length == len(response.data)


def test_head_request_announces_the_padded_length(client: FlaskClient) -> None:
    response = client.head("/form")
    assert (response.content_length, response.data) == (PAGE_MULTIPLE_BYTES, b"")


def test_streamed_download_is_neither_padded_nor_collected(client: FlaskClient) -> None:
    assert client.get("/bundle").data == b"onetwo"


def test_page_that_breaks_tells_nothing(client: FlaskClient) -> None:
    response = client.get("/broken")
    assert response.status_code == 500
    assert b"secret" not in response.data


def test_page_that_sets_a_cookie_is_an_error_not_a_cookie(client: FlaskClient) -> None:
    with pytest.raises(AssertionError, match="cookie"):
        client.get("/cookie")


@given(st.integers(0, 3 * PAGE_MULTIPLE_BYTES))
def test_padding_keeps_the_page_and_hides_its_size(size: int) -> None:
    padded = pad_page(b"p" * size)
    assert padded[:size] == b"p" * size
    assert len(padded) % PAGE_MULTIPLE_BYTES == 0
    assert len(padded) - size < PAGE_MULTIPLE_BYTES + 7
    filler = padded[size:]
    assert not filler or (filler.startswith(b"<!--") and filler.endswith(b"-->"))
    assert not filler[4:-3].strip()
