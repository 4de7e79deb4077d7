"""The record of a case, read entry by entry; nothing is shown that does not verify (P35)."""

from flask import Blueprint, abort, render_template

from desk.casework.deleting import Tombstone
from desk.casework.phrasing import facts_of
from desk.casework.rules import chosen_policy, policy_named, policy_of
from desk.casework.verifying import read_record
from desk.desk import read_desk, spoken_fingerprint
from desk.records import CaseRecord
from desk.screens.session import vault

pages = Blueprint("record", __name__, url_prefix="/case/<name>/record")


@pages.get("/")
def show(name: str) -> str:
    """Show every entry; of a deleted case what is left."""
    opened = vault()
    case = opened.get(CaseRecord, name)
    if case is None and opened.get(Tombstone, name) is None:
        abort(404)
    policy = policy_of(opened, case) if case else policy_named(opened, chosen_policy(opened))
    return render_template(
        "desk/record.html",
        case=name,
        deleted=case is None,
        entries=[(one, list(facts_of(policy, one))) for one in read_record(opened, name)],
        fingerprint=spoken_fingerprint(read_desk(opened).fingerprint),
    )
