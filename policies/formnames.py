"""The names that the reporter's pages give to their own fields and places.

A question of a policy that had one of them would be taken for what it is not: an answer to a
question called «language» would change the language of the page, and nothing would be sent.
"""

_FIELDS = """
    attachments categories closing consents form hand-over language outside-only own-choice
    receipt recipients replaced-by replaces requests rung text token track
"""
_PLACES = """
    closing-close control further kept main message problems progress receipt-title replies
    report sink statement viewport words words-form write
"""
FORM_NAMES = frozenset(f"{_FIELDS} {_PLACES}".split())


def is_taken(name: str) -> bool:
    """Say whether a page uses this name, or makes one of it for a hint or an error."""
    return name.removesuffix("-hint").removesuffix("-error") in FORM_NAMES
