"""sq, whose options have other names in every version: Debian 12 has 0.27, Debian 13 has 1.3."""

import re
import subprocess
from functools import cache
from pathlib import Path


def decrypt(key: str | Path) -> list[str]:
    """Return the command that decrypts its input with a secret key in a file."""
    return _sq("decrypt", _one_of("decrypt", "--recipient-file", "--recipient-key"), str(key))


def encrypt(certificate: str | Path) -> list[str]:
    """Return the command that encrypts its input to a certificate in a file."""
    to = _one_of("encrypt", "--for-file", "--recipient-file", "--recipient-cert")
    return _sq("encrypt", to, str(certificate), *_where_known("encrypt", "--without-signature"))


def sign(key: str | Path) -> list[str]:
    """Return the command that writes a detached signature of its input."""
    signer = _one_of("sign", "--signer-file", "--signer-key")
    detached = ["--signature-file", "-"] if _knows("sign", "--signature-file") else ["--detached"]
    return _sq("sign", signer, str(key), *detached)


def verify(signature: str | Path, signed: str | Path, certificate: str | Path) -> list[str]:
    """Return the command that verifies a detached signature."""
    signer = _one_of("verify", "--signer-file", "--signer-cert")
    detached = _one_of("verify", "--signature-file", "--detached")
    return _sq("verify", signer, str(certificate), detached, str(signature), str(signed))


def generate(to: str | Path, *, suite: str = "cv25519") -> list[str]:
    """Return the command that makes a secret key without a passphrase."""
    plain = _where_known("key generate", "--own-key", "--without-password")
    revocation = _where_known("key generate", "--rev-cert")
    revocation += [f"{to}.rev"] if revocation else []
    output = _one_of("key generate", "--export", "--output")
    named = ["--userid", "Sequoia", "--cipher-suite", suite]
    return _sq("key generate", *named, *plain, *revocation, output, str(to))


def _sq(subcommand: str, *options: str) -> list[str]:
    # Without a certificate store of its own: what is in the files alone counts.
    home = ["--home", "none"] if _knows("", "--home") else []
    return ["sq", *home, *subcommand.split(), *options]


def _one_of(subcommand: str, *names: str) -> str:
    return next(name for name in names if _knows(subcommand, name))


def _where_known(subcommand: str, *names: str) -> list[str]:
    return [name for name in names if _knows(subcommand, name)]


@cache
def _knows(subcommand: str, option: str) -> bool:
    command = ["sq", *subcommand.split(), "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return option in re.findall(r"--[a-z-]+", told)
