"""`python -m sotto`, the same as the command `sotto`."""

from sotto.cli import main

main()
