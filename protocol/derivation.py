"""Everything that follows from a receipt: names, keys and nothing that leads back.

The relay keeps no account; whoever brings the nine words brings every key. One slow step
(Argon2id) makes guessing words dear, then each key has its own label, so that none helps
with another. THREAT_MODEL.md claim C2 gives the cost of guessing. PROTOCOL.md, «Derivation».
"""

import hashlib
import secrets
from dataclasses import dataclass, field

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol import limits
from protocol.names import DeploymentSalt, EnvelopeId, MailboxId, MemoKey, Receipt, ReceiptRoot


@dataclass(frozen=True, kw_only=True)
class Argon2Cost:
    """What one guess at a receipt costs: passes, memory in KiB, lanes."""

    time: int
    memory_kib: int
    lanes: int


# RFC 9106 section 4, second recommended option. Read at each call, not bound at import, so
# that the tests' one cheap fixture can replace it.
ARGON2 = Argon2Cost(time=3, memory_kib=64 * 1024, lanes=4)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReporterKeys:
    """What nine words open. Its text form shows nothing: not even the two names, since a line
    of a log that holds both would tie an envelope to a mailbox.

    Attributes:
        report_id: names the first envelope, 16 octets.
        mailbox_id: where replies wait, 16 octets.
        reply_public: X-Wing public key, 1,216 octets: ML-KEM-768, then X25519.
        reply_private: opens reply pages.
        voice: signs every later envelope of the same reporter.
        memo_key: opens the memo of the first envelope.
    """

    report_id: EnvelopeId = field(repr=False)
    mailbox_id: MailboxId = field(repr=False)
    reply_public: bytes = field(repr=False)
    reply_private: MLKEM768X25519PrivateKey = field(repr=False)
    voice: Ed25519PrivateKey = field(repr=False)
    memo_key: MemoKey = field(repr=False)

    @property
    def voice_public(self) -> bytes:
        """The 32 octets that stand in the first envelope."""
        return self.voice.public_key().public_bytes_raw()


def receipt_root(receipt: Receipt, salt: DeploymentSalt) -> ReceiptRoot:
    """Derive the one secret from which all others of a receipt follow.

    The only slow step, 64 MiB and about 140 ms on two cores: callers bound how many run.

    Args:
        receipt: nine words of the list.
        salt: 16 octets, the deployment's; guesses made for one relay are useless at another.

    Returns:
        32 octets from Argon2id at the cost `ARGON2`.
    """
    return ReceiptRoot(
        hash_secret_raw(
            secret=" ".join(receipt).encode("ascii"),
            salt=salt,
            time_cost=ARGON2.time,
            memory_cost=ARGON2.memory_kib,
            parallelism=ARGON2.lanes,
            hash_len=limits.ROOT_BYTES,
            type=Type.ID,
        )
    )


def derive_reporter_keys(root: ReceiptRoot) -> ReporterKeys:
    """Derive all keys and names of a reporter; fast, below a millisecond."""
    reply_private, reply_public = expand_reply_key(_expand(root, b"sotto/1 reply key", 32))
    return ReporterKeys(
        report_id=EnvelopeId(_expand(root, b"sotto/1 report", limits.ID_BYTES)),
        mailbox_id=mailbox_id(reply_public),
        reply_public=reply_public,
        reply_private=reply_private,
        voice=Ed25519PrivateKey.from_private_bytes(_expand(root, b"sotto/1 voice", 32)),
        memo_key=MemoKey(_expand(root, b"sotto/1 memo", limits.KEY_BYTES)),
    )


def generate_throwaway_keys() -> ReporterKeys:
    """Make keys that nobody keeps, for cover: shaped like a reporter's, known to no one."""
    return derive_reporter_keys(ReceiptRoot(secrets.token_bytes(limits.ROOT_BYTES)))


def mailbox_id(reply_public: bytes) -> MailboxId:
    """Derive the name of the mailbox in which replies to a key wait.

    From the key itself, so that nobody can have replies for one key put under another name.

    Args:
        reply_public: 1,216 octets.

    Returns:
        16 octets.
    """
    digest = hashlib.sha256(b"sotto/1 mailbox" + reply_public).digest()
    return MailboxId(digest[: limits.ID_BYTES])


def expand_reply_key(seed: bytes) -> tuple[MLKEM768X25519PrivateKey, bytes]:
    """Expand a seed into an X-Wing key pair (draft-connolly-cfrg-xwing-kem, section 5.2).

    Here because `cryptography` takes the two halves only; public so that the published
    vectors of the draft can be held against it.

    Args:
        seed: 32 octets.

    Returns:
        The private key, and the public key in 1,216 octets.
    """
    expanded = hashlib.shake_256(seed).digest(96)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
    public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    return MLKEM768X25519PrivateKey(mlkem, x25519), public


def _expand(root: ReceiptRoot, label: bytes, size: int) -> bytes:
    return HKDF(SHA256(), length=size, salt=None, info=label).derive(root)
