"""The desk of the demonstration: made of its public key, unlocked by whoever types `demo`."""

from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from desk.desk import create_desk
from desk.screens.app import create_app
from desk.unlocking import LOCK_FILE

PASSPHRASE = "demo"  # noqa: S105 - the demonstration's keys are public


def create_demo_desk_app(data: Path, *, by_hand: str = "") -> Flask:
    """Make the desk of a demonstration, and the application that shows it.

    It has no secret address: its key lies beside it and is no secret. Everything else holds.

    Args:
        data: of the demonstration, with demo/counselor.secret.asc and relay.asc.
        by_hand: address of the page that tells how to do it with commands.
    """
    folder = data / "demo"
    desk = folder / "desk"
    if not (desk / LOCK_FILE).exists():
        create_desk(
            desk,
            key_path=folder / "counselor.secret.asc",
            relay_path=data / "relay.asc",
            passphrase=PASSPHRASE,
            now=datetime.now(UTC),
        ).close()
    return create_app(desk, by_hand=by_hand, demo=True)
