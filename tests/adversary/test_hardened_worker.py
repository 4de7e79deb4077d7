"""The process that holds what is posted is hardened before it holds any secret."""

from pathlib import Path

import pytest
from counselor import NOW

from relay.deployment import Deployment, init_deployment, open_deployment
from relay.hardening import Hardening, Measure
from relay.running import read_hardening
from sotto.serving import RelaySites


@pytest.mark.claim("C1")
def test_a_worker_is_hardened_before_it_opens_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init_deployment(tmp_path / "data", now=NOW)
    granted = Hardening((Measure(name="no core dumps", held=True),))
    happened: list[str] = []

    def hardens() -> Hardening:
        happened.append("hardened")
        return granted

    def opens(data: Path) -> Deployment:
        happened.append("opened")
        return open_deployment(data)

    monkeypatch.setattr("sotto.serving.harden_process", hardens)
    monkeypatch.setattr("sotto.serving.open_deployment", opens)
    RelaySites(tmp_path / "data").parts.deployment.close()
    assert happened == ["hardened", "opened"]
    assert read_hardening(tmp_path / "data") == granted
