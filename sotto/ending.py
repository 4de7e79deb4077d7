"""How a command that runs until it is stopped hears that it shall."""

import signal


def hear_both_signals() -> None:
    """Let SIGINT and SIGTERM both raise KeyboardInterrupt where the program is.

    SIGINT too, for a command that a script started in the background: there the shell has it
    ignored, and Python would leave it so.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
