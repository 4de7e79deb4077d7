"""The names of things that must never be confused, as types.

Ids and secrets are all bytes; a distinct type for each makes the type checker
refuse a memo key where a reply seed belongs.
"""

from typing import NewType

EnvelopeId = NewType("EnvelopeId", bytes)  # 16 bytes; 32 hex digits in file names
MailboxId = NewType("MailboxId", bytes)  # 16 bytes
RelayId = NewType("RelayId", str)  # fingerprint of the relay's OpenPGP certificate
RecipientName = NewType("RecipientName", str)  # [a-z0-9-]{1,32}; a person, whatever key she holds
Fingerprint = NewType("Fingerprint", str)  # full OpenPGP fingerprint, upper-case hex

Receipt = NewType("Receipt", tuple[str, ...])  # nine words: secret
DeploymentSalt = NewType("DeploymentSalt", bytes)  # 16 bytes
ReceiptRoot = NewType("ReceiptRoot", bytes)  # 32 bytes: secret
MemoKey = NewType("MemoKey", bytes)  # 32 bytes: secret
SessionKey = NewType("SessionKey", bytes)  # 32 bytes, AES-256: secret
ReadToken = NewType("ReadToken", bytes)  # 32 bytes: secret until acknowledged
