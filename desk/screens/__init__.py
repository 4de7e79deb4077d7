"""The desk in the browser: pages on loopback over the same library as the commands."""
