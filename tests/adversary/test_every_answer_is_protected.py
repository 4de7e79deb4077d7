"""Every address of the real sites, not of one made for a test, has the strict headers."""

import pytest
from flask.testing import FlaskClient
from office import Office

from relay.app import create_courier_app, create_reporter_app

FILLED = {"lang": "en", "fingerprint": "0" * 40, "form_id": "0" * 32, "number": "1"}


def require_strict(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(path, method=method)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy, path
    assert "frame-ancestors" in policy, path
    assert answer.headers["Referrer-Policy"] == "no-referrer", path
    assert answer.headers["X-Content-Type-Options"] == "nosniff", path
    assert not {"Set-Cookie", "Server", "Date", "Last-Modified"} & set(answer.headers.keys()), path
    if answer.mimetype == "text/html":
        assert len(answer.data) % 8192 == 0, path


@pytest.mark.claim("C2")
@pytest.mark.claim("C6")
@pytest.mark.parametrize("site", [create_reporter_app, create_courier_app])
def test_every_address_of_both_sites_answers_with_strict_headers_and_padded(
    office: Office, site: object
) -> None:
    app = create_reporter_app(office.parts)
    if site is create_courier_app:
        app = create_courier_app(office.parts)
    client = app.test_client()
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 4
    for rule in rules:
        values = {name: FILLED.get(name, "none") for name in rule.arguments}
        _, path = rule.build(values, append_unknown=False) or ("", "/")
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            require_strict(client, method, path)
    for path in ("/nowhere", "/en/nowhere", "/xx/report"):
        require_strict(client, "GET", path)
        require_strict(client, "DELETE", path)
