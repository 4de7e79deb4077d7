"""OpenPGP certificates, locks and signatures: the only door to PGPy."""
