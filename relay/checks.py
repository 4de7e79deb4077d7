"""What is checked before a report or a consent is taken: each check sends the form back.

A check asks and says why; none of them changes what was ticked (decision 0011).
"""

from collections.abc import Collection

from policies.parts import Meaning, Track
from protocol.names import RecipientName
from relay.forms import persons
from relay.languages import _
from relay.readers import Choice
from relay.refusals import ProblemError
from relay.rendering import policy
from relay.typed import Typed


def require_readers(choice: Choice, typed: Typed) -> tuple[RecipientName, ...]:
    """Return who was ticked.

    Raises:
        ProblemError: nobody was.
    """
    readers = choice.read(typed.recipients)
    if not readers:
        raise ProblemError(400, {"recipients": _("Choose at least one person who may read this.")})
    return readers


def organisation_people(names: Collection[RecipientName]) -> tuple[RecipientName, ...]:
    """Return who of these belongs to the organisation, or is nobody that the policy knows."""
    known = policy().recipients
    return tuple(name for name in names if name not in known or not known[name].independent)


def require_route(track: Track, typed: Typed, choice: Choice) -> None:
    """Ask once where the ticked people are not those that the procedure names (P2).

    The procedure never changes what was ticked: it might add the one that the report is
    about, or take away whom the reporter trusts.

    Raises:
        ProblemError: with the policy's reason and the people it names.
    """
    route = policy().route_for(track.id, typed.categories)
    readers = set(choice.read(typed.recipients))
    if route is None or readers == readers.intersection(route.recipients):
        return
    if {"own-choice", "outside-only"}.intersection(typed.boxes):
        return
    sentence = _(
        "What you chose usually goes to: %(names)s. Change who may read, "
        "or tick «I want exactly these people to read this».",
        names=_titles(choice.read(route.recipients)),
    )
    raise ProblemError(400, {"recipients": f"{route.reason} {sentence}"})


def require_outside(typed: Typed, choice: Choice) -> None:
    """Ask where the organisation must not learn of it, and one of its people is ticked (P16).

    Raises:
        ProblemError: with the people whose tick has to go.
    """
    ticked = organisation_people(choice.read(typed.recipients))
    if "outside-only" in typed.boxes and ticked:
        sentence = _(
            "You ticked that the organisation must not learn of this. "
            "Then take the tick away from: %(names)s.",
            names=_titles(ticked),
        )
        raise ProblemError(400, {"recipients": sentence})


def require_own_consents(track: Track, typed: Typed) -> None:
    """Refuse a consent that only the person concerned can give, from anybody else (P24).

    Raises:
        ProblemError: it was ticked, and not that it happened to the reporter.
    """
    standing = policy().question_meaning(track.id, Meaning.STANDING)
    affected = standing is not None and "affected" in typed.answers.get(standing.id, ())
    own = {consent.id for consent in policy().consents_of(track.id) if consent.survivor_only}
    if own.intersection(typed.consents) and not affected:
        sentence = _(
            "Only the person whom it happened to can agree to this. If that is you, "
            "say so above; if not, take the tick away."
        )
        raise ProblemError(400, {"consents": sentence})


def _titles(names: Collection[RecipientName]) -> str:
    return ", ".join(person.title for person in persons(tuple(names)))
