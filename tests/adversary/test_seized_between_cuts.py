"""The disk is seized between two cuts: is what the last bundle does not hold all reports?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from counselor import Counselor

from relay.clockwork import Clockwork
from relay.deployment import Deployment, init_deployment, open_deployment
from relay.settings import Settings

pytestmark = pytest.mark.claim("C2")

CUT = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)
MEAN = 40.0  # a Poisson number of this mean is 0 once in 10^17, beyond 100 once in 10^14


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Deployment]:
    init_deployment(tmp_path / "data", now=CUT, settings=Settings(cover_mean=MEAN))
    opened = open_deployment(tmp_path / "data")
    Counselor.make("counselor-1").join(opened.store)
    yield opened
    opened.close()


def outside_the_bundle(relay: Deployment) -> int:
    """Count what a seizer would know for reports of the last hours, if cover came with cuts."""
    cut = relay.store.current_cut()
    assert cut is not None
    carried = {held.id for held in cut.envelopes}
    return len({held.id for held in relay.store.envelopes_to_carry(leaving=0)} - carried)


def test_cover_comes_between_the_cuts_and_lies_in_the_next_one(relay: Deployment) -> None:
    moment = [CUT]
    works = Clockwork(deployment=relay, clock=lambda: moment[0])
    seen = []
    for step in range(73):
        moment[0] = CUT + step * STEP
        works.run_due()
        seen.append(outside_the_bundle(relay))
    assert seen[0] == 0, "the first cut of a relay that has just begun"
    assert 0 < seen[36] < seen[71] <= 100
    assert len(set(seen[:72])) > 10, "one after the other, not at one moment"
    cut = relay.store.current_cut()
    assert cut is not None
    assert (cut.number, cut.hour) == (2, 12)
    assert len(cut.envelopes) == seen[71]


def test_cover_that_a_stopped_relay_missed_is_not_made_up_for(relay: Deployment) -> None:
    moment = [CUT]
    Clockwork(deployment=relay, clock=lambda: moment[0]).run_due()
    moment[0] = CUT + timedelta(days=3)
    Clockwork(deployment=relay, clock=lambda: moment[0]).run_due()
    assert relay.store.envelopes_to_carry(leaving=0) == ()


def test_cover_after_a_long_pause_is_that_of_one_cut_at_most(relay: Deployment) -> None:
    moment = [CUT]
    works = Clockwork(deployment=relay, clock=lambda: moment[0])
    works.run_due()
    moment[0] = CUT + timedelta(days=30)
    works.run_due()
    assert 0 < len(relay.store.envelopes_to_carry(leaving=0)) <= 100
