"""The rules between the entries of a policy, which no single entry can keep.

Each rule yields what is broken, with the path in policy.toml, so that checker
and loader share one list.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from policies.formnames import is_taken
from policies.parts import Meaning, QuestionKind
from policies.schema import Policy
from policies.wording import nearest

Path = tuple[str, ...]


@dataclass(frozen=True)
class BrokenRule:
    """A rule that a policy breaks.

    Attributes:
        path: where in policy.toml, down to the field.
        message: what is wrong.
        instead: what to write.
        value: the word in that line that is wrong, where there is one.
    """

    path: Path
    message: str
    instead: str
    value: str = ""


Broken = Iterator[BrokenRule]


def broken_references(policy: Policy) -> Broken:
    """Check every rule between entries, in the order of the list below."""
    for rule in RULES:
        yield from rule(policy)


def _unknown(path: Path, ids: Collection[str], known: Collection[str], what: str) -> Broken:
    for wrong in (i for i in ids if i not in known):
        yield BrokenRule(
            path, f"«{wrong}» is no {what} of this policy.", nearest(wrong, sorted(known)), wrong
        )
    seen: set[str] = set()
    for twice in (i for i in ids if i in seen or seen.add(i)):  # type: ignore[func-returns-value]  # set.add is the usual idiom
        yield BrokenRule(path, f"«{twice}» stands here twice.", "Take one of the two out.", twice)


def _languages(policy: Policy) -> Broken:
    if policy.language not in policy.languages:
        yield BrokenRule(
            ("languages",),
            f"The policy's own language «{policy.language}» is not among the languages shown.",
            f"Add «{policy.language}» to the list.",
        )
    yield from _unknown(("languages",), policy.languages, policy.languages, "language shown")
    yield from _unknown(("reviewed",), policy.reviewed, policy.languages, "language shown")


def _tracks(policy: Policy) -> Broken:
    for track in policy.tracks.values():
        here = ("track", track.id)
        yield from _unknown((*here, "recipients"), track.recipients, policy.recipients, "recipient")
        yield from _unknown((*here, "questions"), track.questions, policy.questions, "question")
        yield from _unknown((*here, "consents"), track.consents, policy.consents, "consent")
        yield from _unknown((*here, "channels"), track.channels, policy.channels, "channel")
        if track.catalogue is not None:
            yield from _unknown(
                (*here, "catalogue"), [track.catalogue], policy.catalogues, "catalogue"
            )
        if track.ladder is not None:
            yield from _unknown((*here, "ladder"), [track.ladder], policy.ladders, "ladder")
        if track.feedback_days < track.acknowledge_days:
            yield BrokenRule(
                (*here, "feedback-days"),
                "The answer is promised before the confirmation that the report arrived.",
                f"Write a number of at least {track.acknowledge_days}.",
            )


def _questions(policy: Policy) -> Broken:
    picking = {QuestionKind.CHOICE, QuestionKind.SEVERAL}
    for question in policy.questions.values():
        here = ("question", question.id)
        yield from _unknown((*here, "group"), [question.group], policy.groups, "group")
        if is_taken(question.id):
            yield BrokenRule(
                here,
                f"The form itself uses the name «{question.id}».",
                f"Write another one, such as «[question.about-{question.id}]».",
            )
        if question.kind in picking and len(question.options) < 2:
            yield BrokenRule(
                here,
                f"The question «{question.id}» offers nothing to choose from.",
                'Write a line like «options = ["yes", "no"]» with two options or more.',
            )
        if question.kind not in picking and question.options:
            yield BrokenRule(
                (*here, "options"),
                f"A question of kind «{question.kind}» has no options.",
                'Write «kind = "choice"» or take the options out.',
            )
        yield from _unknown((*here, "options"), question.options, question.options, "option")
        if question.kind is QuestionKind.EVENT and not policy.events:
            yield BrokenRule(
                here,
                "This question lets people pick an event, but the policy lists none.",
                "Add a part «[event.your-event]» or take the question out.",
            )


# Answers that a rule of relay or desk looks for by these options.
NEEDED_OPTIONS = {
    Meaning.STANDING: {"affected", "witness", "on-behalf"},
    Meaning.FORMALITY: {"formal", "informal"},
    Meaning.CONTACT_PURPOSE: {"follow-up", "inform-only"},
}


def _meanings(policy: Policy) -> Broken:
    for question in policy.questions.values():
        if question.meaning is None:
            continue
        here = ("question", question.id)
        missing = NEEDED_OPTIONS.get(question.meaning, set()) - set(question.options)
        for option in sorted(missing):
            yield BrokenRule(
                (*here, "options"),
                f"A question that means «{question.meaning}» needs the option «{option}».",
                f"Add «{option}» to the options.",
            )
    for track in policy.tracks.values():
        meanings = [q.meaning for i in track.questions if (q := policy.questions.get(i))]
        for meaning in {m for m in meanings if m is not None and meanings.count(m) > 1}:
            yield BrokenRule(
                ("track", track.id, "questions"),
                f"Two questions of this track both mean «{meaning}».",
                "Keep one of them.",
            )
        survivor = [c for i in track.consents if (c := policy.consents.get(i)) and c.survivor_only]
        if survivor and Meaning.STANDING not in meanings:
            yield BrokenRule(
                ("track", track.id, "consents"),
                f"«{survivor[0].id}» may only be given by the person affected, but this track "
                "never asks whether the reporter is that person.",
                'Add a question with «meaning = "standing"» to the track.',
            )


def _categories(policy: Policy) -> Broken:
    for catalogue in policy.catalogues.values():
        offered = ("catalogue", catalogue.id, "categories")
        yield from _unknown(offered, catalogue.categories, policy.categories, "category")
    used = {i for catalogue in policy.catalogues.values() for i in catalogue.categories}
    for category in policy.categories.values():
        if category.id not in used:
            yield BrokenRule(
                ("category", category.id),
                f"No catalogue offers the category «{category.id}».",
                "Add it to the categories of a catalogue or take it out.",
            )


def _routes(policy: Policy) -> Broken:
    for route in policy.routes.values():
        here = ("route", route.id)
        yield from _unknown((*here, "track"), [route.track], policy.tracks, "track")
        yield from _unknown((*here, "recipients"), route.recipients, policy.recipients, "recipient")
        track = policy.tracks.get(route.track)
        catalogue = policy.catalogues.get(track.catalogue or "") if track else None
        offered = catalogue.categories if catalogue else ()
        yield from _unknown(
            (*here, "categories"), route.categories, offered, "category of this track"
        )


def _ladders(policy: Policy) -> Broken:
    for ladder in policy.ladders.values():
        rungs = ("ladder", ladder.id, "rungs")
        for rung_id in ladder.rungs:
            if rung_id not in policy.rungs:
                yield from _unknown(rungs, [rung_id], policy.rungs, "rung")
        steps = [r.recipient or r.id for i in ladder.rungs if (r := policy.rungs.get(i))]
        for step in {s for s in steps if steps.count(s) > 1}:
            yield BrokenRule(
                rungs,
                f"This ladder goes in a circle: «{step}» comes twice.",
                "Let every rung lead to someone who has not decided before.",
            )
    for rung in policy.rungs.values():
        here = ("rung", rung.id)
        yield from _unknown((*here, "copy-to"), rung.copy_to, policy.recipients, "recipient")
        if rung.recipient is not None:
            yield from _unknown(
                (*here, "recipient"), [rung.recipient], policy.recipients, "recipient"
            )
        elif not rung.reach:
            yield BrokenRule(
                here,
                f"The rung «{rung.id}» has no recipient here, and no text says how to reach it.",
                f"Add the text «rung.{rung.id}.reach» or a line «recipient = …».",
            )


def _people_to_turn_to(policy: Policy) -> Broken:
    if not policy.emergency:
        yield BrokenRule(
            ("emergency",),
            "The policy names nobody to call in an emergency.",
            "Add a part such as «[emergency.local]» with its texts.",
        )
    if not policy.authorities:
        yield BrokenRule(
            ("authority",),
            "The policy names no authority outside the organisation.",
            "Add a part such as «[authority.regulator]» with its texts.",
        )


def _dates(policy: Policy) -> Broken:
    for document in policy.documents.values():
        if document.effective > policy.effective:
            yield BrokenRule(
                ("document", document.id, "effective"),
                f"The document «{document.id}» takes effect after the policy that publishes it.",
                f"Write {policy.effective} or an earlier day.",
            )
    holidays = [("holiday", h.id, h.first, h.last) for h in policy.holidays.values()]
    events = [("event", e.id, e.first, e.last) for e in policy.events.values()]
    for kind, entry, first, last in (*holidays, *events):
        if first and last and last < first:
            yield BrokenRule(
                (kind, entry, "last"),
                f"«{entry}» ends before it begins.",
                f"Write {first} or a later day.",
            )


def _desk_work(policy: Policy) -> Broken:
    if policy.assessment is not None:
        yield from _unknown(
            ("assessment", "recipients"),
            policy.assessment.recipients,
            policy.recipients,
            "recipient",
        )
    if policy.deletion.signatures_when_alone > policy.deletion.signatures:
        yield BrokenRule(
            ("deletion", "signatures-when-alone"),
            "A lone counselor cannot need more signatures than several.",
            f"Write {policy.deletion.signatures} or less.",
        )
    most = len(policy.recipients)
    if policy.deletion.signatures > most:
        yield BrokenRule(
            ("deletion", "signatures"),
            f"There are only {most} recipients to sign.",
            f"Write {most} or less.",
        )
    needing = [a.id for a in policy.actions.values() if a.concurrence]
    if needing and policy.concurrence.others >= most:
        yield BrokenRule(
            ("concurrence", "others"),
            f"«{needing[0]}» needs more people than the policy has recipients.",
            f"Write {max(most - 1, 1)} or add a recipient.",
        )
    if any(a.grounds for a in policy.actions.values()) and not policy.grounds:
        yield BrokenRule(
            ("action",),
            "An action asks for its ground, but the policy lists no grounds.",
            "Add parts such as «[ground.threat]» with their texts.",
        )
    if not any(status.final for status in policy.statuses.values()):
        yield BrokenRule(
            ("status",), "No status ends a case.", "Write «final = true» under the last status."
        )
    for moment in ("acknowledgement", "closing"):
        if not policy.templates_for(moment):
            yield BrokenRule(
                ("template",),
                f"There is no ready reply for the moment «{moment}».",
                f'Add a part «[template.{moment}]» with «moment = "{moment}"».',
            )


RULES: tuple[Callable[[Policy], Broken], ...] = (
    _languages,
    _tracks,
    _questions,
    _meanings,
    _categories,
    _routes,
    _ladders,
    _people_to_turn_to,
    _dates,
    _desk_work,
)
