"""Open the desk in a private window of this machine's browser.

Any other window writes to the disk, in the clear, which pages were seen, what they are called,
and what stands in a form that was not sent yet. Where no browser is known that has such
windows, none is started.
"""

import os
import shutil
from collections.abc import Mapping

_PRIVATELY: Mapping[str, str] = {
    "firefox": "--private-window",
    "firefox-esr": "--private-window",
    "chromium": "--incognito",
    "chromium-browser": "--incognito",
    "google-chrome": "--incognito",
}


def open_privately(address: str) -> bool:
    """Start a browser in a private window; tell whether one was found."""
    for name, option in _PRIVATELY.items():
        program = shutil.which(name)
        if program is not None:
            quiet = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in range(3)]
            # A session of its own: Ctrl-C ends the desk, and not the browser.
            os.posix_spawn(
                program, [program, option, address], os.environ, file_actions=quiet, setsid=True
            )
            return True
    return False
