"""The demonstration: a whole relay on one machine, with keys that are no secret.

Everything in it is what a real relay runs; only the keys, the loopback addresses and the
bundle on demand differ, and every page says so.
"""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from flask import Flask, render_template
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import templates
from desk.screens.demonstration import create_demo_desk_app
from keys.secretkey import generate_secret_key, read_secret_key
from onion.address import create_addresses
from onion.courier_keys import add_courier
from onion.places import Places
from policies.loader import load_policy
from protocol.errors import KeyMaterialError
from protocol.names import RecipientName
from relay.app import policy_folder
from relay.deployment import init_deployment, open_deployment
from relay.headers import PageKind, present, protect
from relay.settings import Settings
from relay.site import Site
from sotto.serving import RelaySites
from templates import STYLE, STYLE_URL

PASSPHRASE = "demo"  # noqa: S105 - the demonstration's keys are public
PEOPLE = {"counselor-1": "counselor", "counselor-2": "counselor-2", "head": "head"}
FOLDER = "demo"
BY_HAND = "/by-hand"
COURIER_FILE = "courier.auth_private"
KEY_DAYS = 365


def prepare(data: Path, *, policy: str, now: datetime) -> None:
    """Make a demonstration in a new folder; one that is there is used as it is.

    Raises:
        KeyMaterialError: the folder holds a relay that is no demonstration.
    """
    if (data / "relay.toml").exists():
        if not (data / FOLDER).is_dir():
            raise KeyMaterialError("This folder holds a real relay; give the demo another one.")
        return
    languages = load_policy(policy_folder(policy), "en").languages
    settings = Settings(demo=True, policy=policy, languages=languages)
    init_deployment(data, now=now, settings=settings)
    folder = data / FOLDER
    folder.mkdir(mode=0o700)
    deployment = open_deployment(data, serving=False)
    try:
        for name, file in PEOPLE.items():
            secret = _make_key(name, now)
            (folder / f"{file}.secret.asc").write_bytes(secret)
            key = read_secret_key(secret, PASSPHRASE)
            (folder / f"{file}.asc").write_bytes(key.certificate)
            deployment.store.add_recipient(RecipientName(name), key.certificate, key.fingerprint)
    finally:
        deployment.close()
    _give_courier_key(data)


def courier_line(data: Path) -> str:
    """Return the private line with which a tor reaches the demonstration's couriers' site."""
    return (data / FOLDER / COURIER_FILE).read_text(encoding="ascii").strip()


def _give_courier_key(data: Path) -> None:
    places = Places(data)
    places.prepare()
    secret = add_courier(places.courier, "demo", create_addresses(places).courier)
    (data / FOLDER / COURIER_FILE).write_text(secret.line + "\n", encoding="ascii")


def _make_key(name: str, now: datetime) -> bytes:
    midnight = datetime.combine(now.date(), time(), UTC)
    return generate_secret_key(
        user_id=f"Demonstration {name}",
        passphrase=PASSPHRASE,
        created=midnight,
        expires=midnight + timedelta(days=KEY_DAYS),
    )


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The loopback ports of the demonstration: three in a row."""

    first: int

    @property
    def reporter(self) -> int:
        return self.first

    @property
    def courier(self) -> int:
        return self.first + 1

    @property
    def desk(self) -> int:
        return self.first + 2


def demo_sites(data: Path, relay: RelaySites, ports: Ports) -> list[Site]:
    """Return what the demonstration serves: loopback for a browser, sockets for Tor."""
    local = [
        Site(build=relay.reporter, bind=f"127.0.0.1:{ports.reporter}"),
        Site(build=relay.courier, bind=f"127.0.0.1:{ports.courier}"),
        Site(build=lambda: create_desk_app(data, ports), bind=f"127.0.0.1:{ports.desk}"),
    ]
    Places(data).prepare()
    return local + relay.onion_sites()


def create_desk_app(data: Path, ports: Ports) -> DispatcherMiddleware:
    """Serve the first counselor's desk, and beside it the page that says what to type."""
    desk = create_demo_desk_app(data, by_hand=BY_HAND)
    return DispatcherMiddleware(desk, {BY_HAND: create_guide_app(data, ports)})


def create_guide_app(data: Path, ports: Ports) -> Flask:
    """Make the page that says how to read the demonstration's case with commands alone."""
    app = Flask(__name__, static_folder=None, template_folder=templates.FOLDER)
    app.jinja_env.globals["style_url"] = BY_HAND + STYLE_URL
    protect(app)

    def guide() -> str:
        return render_template(
            "demo/desk.html", data=shlex.quote(str(data)), ports=ports, passphrase=PASSPHRASE
        )

    def style() -> tuple[str, dict[str, str]]:
        present(PageKind.STATIC)
        return STYLE, {"Content-Type": "text/css; charset=utf-8"}

    app.add_url_rule("/", view_func=guide)
    app.add_url_rule("/style.css", view_func=style)
    return app
