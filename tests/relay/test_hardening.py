"""What the kernel grants holds, is reported truly, and costs little memory.

Each test asks in a process of its own: nothing here can be undone.
"""

import json
import subprocess
import sys

import pytest

ASK = """
import ctypes, json, mmap, resource
from pathlib import Path
from relay.hardening import harden_process
{before}
result = harden_process()
status = Path("/proc/self/status").read_text()
field = lambda name: int(status.split(name + ":")[1].split()[0])
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    writable_code = True
except PermissionError:
    writable_code = False
held = bytearray(b"x" * 50_000_000)
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4
long, short, before = [], [], resident()
for _ in range(2):  # glibc hoards from the second time on
    for _ in range(40):
        long.append(b"x" * 2_000_000)
        short.append(b"x" * 2_000)
    long.clear()
hoarded_kib = resident() - before
print(json.dumps({{
    "held": {{m.name: m.held for m in result.measures}},
    "reasons": {{m.name: m.reason for m in result.missing}},
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "no_new_privs": field("NoNewPrivs"),
    "locked_kib": field("VmLck"),
    "resident_kib": field("VmRSS"),
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "writable_code": writable_code,
    "hoarded_kib": hoarded_kib,
}}))
"""


def ask(before: str = "") -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(before=before)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.claim("C1")
def test_measures_that_are_reported_as_held_do_hold() -> None:
    answer = ask()
    held = answer["held"]
    assert isinstance(held, dict)
    assert held["no core dumps"] and answer["core"] == [0, 0]
    assert held["no new privileges"] and answer["no_new_privs"] == 1
    assert held["no tracing by other processes"] and answer["dumpable"] == 0
    assert held["no writable code"] is not answer["writable_code"]
    assert held["memory kept out of swap"] is (answer["locked_kib"] != 0)
    assert held["freed memory given back"] and answer["hoarded_kib"] < 10_000


def test_locked_memory_costs_what_is_touched_not_the_address_space() -> None:
    resident = ask()["resident_kib"]
    assert isinstance(resident, int)
    assert resident < 150 * 1024


def test_memory_that_may_not_be_locked_is_reported_with_what_to_do() -> None:
    answer = ask(
        before="resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))\n"
        "import relay.hardening\n"
        "relay.hardening._has_capability = lambda number: False"
    )
    reasons = answer["reasons"]
    assert isinstance(reasons, dict)
    assert "LimitMEMLOCK=infinity" in reasons["memory kept out of swap"]
    assert answer["locked_kib"] == 0
