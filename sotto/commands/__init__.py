"""The groups of the command `sotto`, one module for each."""
