"""What docs/OPERATIONS.md tells an operator to write is what the command writes."""

import re
from pathlib import Path

from onion.torrc import system_torrc

OPERATIONS = Path(__file__).parents[2] / "docs" / "OPERATIONS.md"


def test_torrc_in_the_operations_guide_is_what_the_command_prints() -> None:
    (block,) = re.findall(r"```torrc\n(.+?)```", OPERATIONS.read_text(encoding="utf-8"), re.DOTALL)
    printed = system_torrc(
        folder=Path("/var/lib/tor/sotto"),
        reporter_socket=Path("/srv/sotto/data/run/reporter.sock"),
        courier_socket=Path("/srv/sotto/data/run/courier.sock"),
    )
    assert tuple(line.strip() for line in block.splitlines() if line.strip()) == printed
