"""Tor: the only door to stem, with a private network for rehearsals."""
