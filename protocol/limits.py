"""Every number of the protocol that is a limit or a size, each with its source.

docs/PROTOCOL.md repeats them beside the layouts. What an operator may change
(length of a text, size of attachments) has its ceiling here and its setting in the relay.
"""

KIB = 1024
MIB = 1024 * KIB

# Names of things (DESIGN: ids of 16 bytes; 128 bits make a collision or a guess hopeless).
ID_BYTES = 16
TOKEN_BYTES = 32
SHA256_BYTES = 32
KEY_BYTES = 32
REPLY_PUBLIC_BYTES = 1184 + 32  # ML-KEM-768 (FIPS 203, table 3) and X25519 (RFC 7748)
VOICE_SIGNATURE_BYTES = 64  # Ed25519, RFC 8032 section 5.1.6

# Canonical JSON. RFC 7493 section 2.2: beyond 2^53 readers disagree about integers.
JSON_DEPTH = 8
JSON_INTEGER = 2**53 - 1
JSON_SIGNS = 2**22  # seven times as many as the largest dispatch has; 4 MiB of text has no more

YEARS = range(2000, 3000)  # of a day: deadlines are counted from it, and must be days too

# Padding. Padmé (Nikitin et al., PETS 2019, section 4) costs at most 6.25 % above the floor and
# leaks O(log log) bits; the floor makes a text of any usual length look like every other.
PADDING_FLOOR_BYTES = 16 * KIB

# Sealing. RFC 4880 section 4.2.2.4 asks for a first part of at least 512 octets, a power of two;
# 64 KiB keeps memory small and the overhead at one octet in 65,536.
PART_BYTES = 64 * KIB
STORED_BLOCK_BYTES = 65_535  # RFC 1951 section 3.2.4: LEN has 16 bits
SESSION_KEY_BYTES = 32
LOCK_BYTES = 4 * KIB  # an RSA lock of 16,384 bits has 2,061 octets
LOCKS_COUNT = 256
SEALED_BYTES = 2**32 - 2  # as an archive: what is sealed is one, or goes into one
LITERAL_NAME_BYTES = 255  # RFC 4880 section 5.9: one octet of length

# Archive. APPNOTE 6.3.10 sections 4.4.8, 4.4.9 and 4.4.21: 32-bit sizes and 16-bit counts, of
# which the highest value means ZIP64, which is not needed here and therefore not accepted.
ARCHIVE_BYTES = 2**32 - 2
ARCHIVE_ENTRIES = 2**16 - 2
ENTRY_NAME_BYTES = 255  # NAME_MAX of every file system in use
DIRECTORY_BYTES = 20 * MIB  # ARCHIVE_ENTRIES names of the longest kind the relay makes
ARCHIVE_PIECE_BYTES = 256 * KIB  # how much is in memory at a time

# Envelope. Ceilings: the settings of a relay stay below them.
TEXT_CHARS = 100_000
ATTACHMENTS_COUNT = 100
ATTACHMENT_NAME_BYTES = 120  # with its number below 143, the limit of encrypted home folders
REPORT_BYTES = 4 * MIB  # 100,000 characters of four octets, and the answers
MANIFEST_BYTES = 256 * KIB
ANSWERS_COUNT = 200
ANSWER_CHARS = 100_000
CHOICES_COUNT = 100
LABEL_CHARS = 2_000  # a question as it was put, with its hint
ENDING_BYTES = 16  # of a file name, dot included, kept when the name is cut
NESTED_HEAD_BYTES = 64  # how much of a file tells whether it is encrypted
NAME_CHARS = 200  # a policy, a track, a question's label is a line, not a text
RECIPIENTS_COUNT = 64

# Chunked container: random access to 64 KiB costs one decryption; STREAM counts 32 bits of chunks.
CHUNK_BYTES = 64 * KIB
CHUNK_TAG_BYTES = 16
CHUNKS_COUNT = 2**32

# Receipt. Nine of 1,296 words are 93 bits (DESIGN); people paste whole pages, not whole books.
RECEIPT_WORDS = 9
RECEIPT_TEXT_CHARS = 1_000
ISSUED_CODE_BYTES = 16
ROOT_BYTES = 32
SALT_BYTES = 16  # RFC 9106 section 3.1 recommends 16 octets

# Memo: one size for all, so that rows of reports, follow-ups and cover look alike.
MEMO_BYTES = 1_024
AEAD_NONCE_BYTES = 12  # ChaCha20-Poly1305, RFC 8439 section 2.8
AEAD_TAG_BYTES = 16

# Reply page: some 2,500 words of any script; one size for all slots of all mailboxes.
REPLY_PAGE_BYTES = 16 * KIB
SLOT_BYTES = REPLY_PAGE_BYTES + 1_088 + 32 + AEAD_TAG_BYTES  # X-Wing enc: ML-KEM-768 and X25519
REPLIES_COUNT = 1_000
REPLY_CHARS = 16 * KIB

# Bundle and dispatch: heads are read before their signature is checked, so they are bounded
# first. 160 octets an item; a dispatch lists every mailbox, and archives end at 65,534 entries.
BUNDLE_HEAD_BYTES = 16 * MIB
BUNDLE_ENVELOPES_COUNT = 50_000
DISPATCH_HEAD_BYTES = 32 * MIB
DISPATCH_SLOTS_COUNT = 50_000
ACKNOWLEDGEMENTS_COUNT = 100_000
SIGNATURE_BYTES = 16 * KIB  # an armoured OpenPGP signature has less than 2 KiB
CERTIFICATE_BYTES = 64 * KIB
WARNINGS_COUNT = 100
NOTICES_COUNT = 50
NOTICE_CHARS = 2_000
