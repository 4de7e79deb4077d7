"""The command and the wiring: which parts make a relay, a desk, a demonstration."""
