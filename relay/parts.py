"""What the views of one relay share, gathered once at start.

A frozen bundle of parts instead of global singletons: two relays can live in one
process (tests do), and what a view may touch is written down here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import cast

from flask import current_app

from policies.schema import Policy
from protocol.names import DeploymentSalt, EnvelopeId
from relay.budget import Budget
from relay.circuit import Circuits
from relay.deployment import Deployment
from relay.formkey import FormKey
from relay.gate import Gate
from relay.progress import Progress
from relay.roster import Roster
from relay.settings import Settings
from relay.store import Store
from relay.submission import Attempts


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one running relay.

    Args:
        deployment: settings, salt, the relay's key, the store.
        policies: the policy in each language shown, in the order in which they are offered.
        roster: who may read today, checked again while running.
        gate: bounds Argon2.
        form_key: seals the tokens of mailbox pages; lives in memory only.
        budget: how much of the disk files may still take.
        clock: returns the current time, UTC.
        circuits: what each Tor circuit may do.
        attempts: which sending of a receipt is the latest.
        progress: how far uploads have come.
        withdrawn: what was taken back since the start; once is enough for each.
    """

    deployment: Deployment
    policies: Mapping[str, Policy]
    roster: Roster
    gate: Gate
    form_key: FormKey
    budget: Budget
    clock: Callable[[], datetime]
    circuits: Circuits
    attempts: Attempts = field(default_factory=Attempts)
    progress: Progress = field(default_factory=Progress)
    withdrawn: set[EnvelopeId] = field(default_factory=set)

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    @property
    def salt(self) -> DeploymentSalt:
        return self.deployment.salt

    @property
    def store(self) -> Store:
        return self.deployment.store

    def today(self) -> date:
        """Return the current day, UTC, the finest time that an envelope carries."""
        return self.clock().date()


def parts() -> Parts:
    """Return the parts of the application that serves this request."""
    return cast(Parts, current_app.extensions["sotto"])
