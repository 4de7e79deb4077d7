"""Cover: envelopes that say nothing, so that one that cannot be opened says nothing either.

A counselor who was left out would notice an envelope that she cannot open. Each
cut therefore brings a Poisson number of covers, sealed like reports, by the same
code, to a random part of the recipients. The number is never topped up: a fixed
or filled-up number is worthless (FACTS, Cover, computed).
"""

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.certificate import Certificate
from protocol.derivation import generate_throwaway_keys
from protocol.envelope import FORMAT_VERSION, Kind, Report
from protocol.limits import TOKEN_BYTES
from protocol.memo import random_memo
from protocol.names import EnvelopeId, ReadToken, RecipientName, RelayId
from relay.rows import EnvelopeRow, Month, month_of
from relay.settings import Settings
from relay.store import Store
from relay.store_contents import ContentWriter
from relay.submission import new_envelope_id, seal_report

# Of the text of a report in octets: most have some hundred words, few have thousands.
# Log-normal, as lengths of written texts are; median 2,400 octets, one in fifty above 24,000.
TEXT_MEDIAN_BYTES = 2_400
TEXT_SPREAD = 1.1

_chance = secrets.SystemRandom()


@dataclass(frozen=True)
class Cover:
    """What a cover envelope will say, and the throw-away voice that signs it."""

    report: Report
    voice: Ed25519PrivateKey


Recipients = Sequence[tuple[RecipientName, Certificate]]


def poisson(mean: float) -> int:
    """Draw a Poisson number from the randomness of the operating system.

    Knuth's product of uniform numbers (The Art of Computer Programming, volume 2,
    section 3.4.1): exact, and short for the means that a relay uses.

    Args:
        mean: 0 to 100.
    """
    limit, product, drawn = math.exp(-mean), _chance.random(), 0
    while product > limit:
        product *= _chance.random()
        drawn += 1
    return drawn


def make_cover(
    store: Store,
    settings: Settings,
    *,
    relay: RelayId,
    recipients: Recipients,
    policy: tuple[str, str],
    today: date,
) -> int:
    """Store the cover envelopes of one cut.

    Args:
        store: receives them; on the disk they are rows like any other.
        settings: the mean, the languages, the period of all rows.
        relay: which the envelopes name.
        recipients: every recipient with a valid certificate, in fixed order.
        policy: name and version in force.
        today: UTC.

    Returns:
        How many were made; nobody stores this number.

    Raises:
        StorageError: the disk fails; what was made before stays, as cover does.
    """
    count = poisson(settings.cover_mean)
    for _ in range(count):
        store_cover(
            store,
            cover=draw_cover(
                relay=relay,
                names=[name for name, _ in recipients],
                policy=policy,
                language=_chance.choice(settings.languages),
                text_limit=settings.text_chars,
                today=today,
            ),
            recipients=recipients,
            expiry=Month(month_of(today) + settings.expiry_months),
        )
    return count


def draw_cover(
    *,
    relay: RelayId,
    names: Sequence[RecipientName],
    policy: tuple[str, str],
    language: str,
    text_limit: int,
    today: date,
    envelope: EnvelopeId | None = None,
    readers: Sequence[RecipientName] = (),
) -> Cover:
    """Draw what a cover envelope says: a text of a likely length to a random part of the people.

    Args:
        relay: which the envelope names.
        names: of all recipients, in fixed order; at least one.
        policy: name and version in force.
        language: of the pretended report.
        text_limit: octets.
        today: UTC.
        envelope: None for a new random id.
        readers: of whom some can open it; empty for anybody.
    """
    readers = draw_readers(readers or names)
    keys = generate_throwaway_keys()
    length = round(_chance.lognormvariate(math.log(TEXT_MEDIAN_BYTES), TEXT_SPREAD))
    report = Report(
        format=FORMAT_VERSION,
        envelope=envelope or new_envelope_id(),
        read_token=ReadToken(secrets.token_bytes(TOKEN_BYTES)),
        kind=Kind.COVER,
        day=today,
        relay=relay,
        reply_public=keys.reply_public,
        voice_public=keys.voice_public,
        policy=policy[0],
        policy_version=policy[1],
        track="",
        language=language,
        answers=(),
        text="." * min(length, text_limit),
        readers=readers,
        left_out=tuple(name for name in names if name not in readers),
    )
    return Cover(report, keys.voice)


def draw_readers(names: Sequence[RecipientName]) -> tuple[RecipientName, ...]:
    """Draw who can open a cover: each by a coin, all of them anew while nobody can."""
    while True:
        readers = tuple(name for name in names if _chance.random() < 0.5)
        if readers:
            return readers


def store_cover(store: Store, *, cover: Cover, recipients: Recipients, expiry: Month) -> None:
    """Seal a cover like any report and commit it like any envelope.

    Raises:
        StorageError: the disk fails; nothing is visible.
    """
    writer = ContentWriter(store=store)
    try:
        for piece in seal_report(report=cover.report, voice=cover.voice, recipients=recipients):
            writer.write(piece)
        stored = writer.finish()
        store.commit_envelope(
            EnvelopeRow(
                id=cover.report.envelope,
                memo=random_memo(),
                token_hash=hashlib.sha256(cover.report.read_token).digest(),
                content=stored.content,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                crc32=stored.crc32,
                expiry=expiry,
            )
        )
    except BaseException:
        writer.discard()
        raise
