"""What the views of one relay share, gathered once at start.

A frozen bundle of parts instead of global singletons: two relays can live in one
process (tests do), and what a view may touch is written down here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from policies.schema import Policy
from protocol.names import DeploymentSalt
from relay.deployment import Deployment
from relay.formkey import FormKey
from relay.gate import Gate
from relay.roster import Roster
from relay.settings import Settings
from relay.store import Store
from relay.submission import Attempts


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one running relay.

    Args:
        deployment: settings, salt, the relay's key, the store.
        policies: one policy per language shown, in the order in which they are offered.
        roster: who may read today, checked again while running.
        gate: bounds Argon2.
        form_key: seals the tokens of mailbox pages; lives in memory only.
        clock: returns the current time, UTC.
    """

    deployment: Deployment
    policies: Mapping[str, Policy]
    roster: Roster
    gate: Gate
    form_key: FormKey
    clock: Callable[[], datetime]
    attempts: Attempts = field(default_factory=Attempts)

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    @property
    def salt(self) -> DeploymentSalt:
        return self.deployment.salt

    @property
    def store(self) -> Store:
        return self.deployment.store
