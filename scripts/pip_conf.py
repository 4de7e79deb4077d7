"""Print one pip.conf with everything that pip is told on this machine, for a build elsewhere."""

import subprocess
import sys

told = subprocess.run(
    [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
).stdout
settings: dict[str, str] = {}
for line in told.splitlines():
    name, _, value = line.partition("=")
    scope, _, key = name.rpartition(".")
    if scope in ("global", "install", ":env:") and key != "cert":
        settings[key] = value.strip("'\"").replace("\\n", "\n    ")
print("[global]")
for key, value in settings.items():
    print(f"{key} = {value}")
