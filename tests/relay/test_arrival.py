"""Whoever comes another way than by Tor Browser is warned on every page, the form included."""

import pytest
from office import Office

ONION = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx.onion"
TOR_BROWSER = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
ON_A_TELEPHONE = "Mozilla/5.0 (Android 10; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0"
BETWEEN = "Stop: you came through a website that stands between you and us"
OTHER = "This does not look like Tor Browser."
PAGES = ("/en/", "/en/report", "/en/receipt", "/en/safety", "/en/no-such-page")

ARRIVALS = {
    "Tor Browser": (ONION, {}, TOR_BROWSER, ""),
    "Tor Browser on a telephone": (ONION, {}, ON_A_TELEPHONE, ""),
    "the demonstration": ("127.0.0.1:8080", {}, TOR_BROWSER, ""),
    "a web-to-onion proxy": (f"{ONION}.ly", {}, TOR_BROWSER, BETWEEN),
    "an address of the open web": ("report.example.org", {}, TOR_BROWSER, BETWEEN),
    "a proxy that keeps the name": (ONION, {"X-Tor2Web": "1"}, TOR_BROWSER, BETWEEN),
    "a proxy that says for whom": (ONION, {"X-Forwarded-For": "192.0.2.1"}, TOR_BROWSER, BETWEEN),
    "another browser": (ONION, {}, CHROME, OTHER),
    "no browser that says so": (ONION, {}, "", OTHER),
}


@pytest.mark.parametrize("arrival", ARRIVALS.values(), ids=ARRIVALS)
def test_visitor_is_warned_of_an_unsafe_way_and_of_no_other(
    office: Office, arrival: tuple[str, dict[str, str], str, str]
) -> None:
    host, headers, agent, warning = arrival
    client = office.visitor()
    for path in PAGES:
        sent = {"Host": host, "User-Agent": agent} | headers
        page = client.get(path, headers=sent).text
        told = [one for one in (BETWEEN, OTHER) if one in page]
        assert told == ([warning] if warning else []), path
