"""No question of a policy can be taken for a field of the page itself."""

import re
from pathlib import Path

from office import Visitor, make_office

from policies.formnames import FORM_NAMES, is_taken


def test_every_name_on_form_and_mailbox_is_a_questions_or_refused_to_questions(
    tmp_path: Path, cheap_argon2_never_in_production: None
) -> None:
    office = make_office(tmp_path / "data", languages=("en", "es"))
    visitor = Visitor(office.visitor())
    questions = set(office.parts.policies["en"].questions)
    pages = [visitor.opens_the_form().text, visitor.sends("", to=["counselor-1"]).text]
    visitor.sends("first", to=["counselor-1"])
    pages += [visitor.opens_the_mailbox().text, visitor.acts("escalate").text]
    pages += [visitor.acts("close").text, visitor.client.get("/en/receipt").text]
    named = set(re.findall(r'\b(?:id|name)="([^"]+)"', "".join(pages)))
    own = {name for name in named if name.removesuffix("-hint") not in questions}
    assert {"text", "language", "recipients", "attachments", "text-hint"} <= own
    assert {name for name in own if not is_taken(name)} == set()
    assert not questions & FORM_NAMES
    office.parts.deployment.close()
