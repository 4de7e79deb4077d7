"""Print a pip.conf with the sources of packages that pip knows on this machine.

It serves a build elsewhere. Nothing else is told: the path of a constraints file means nothing in a
container, and what is installed is locked by its hash anyway.
"""

import subprocess
import sys

SOURCES = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy")

told = subprocess.run(
    [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
).stdout
settings: dict[str, str] = {}
for line in told.splitlines():
    name, _, value = line.partition("=")
    scope, _, key = name.rpartition(".")
    if scope in ("global", "install", ":env:") and key in SOURCES:
        settings[key] = value.strip("'\"").replace("\\n", "\n    ")
print("[global]")
for key, value in settings.items():
    print(f"{key} = {value}")
