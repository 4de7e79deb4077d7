"""The onion-facing application: takes reports, keeps envelopes, hands out bundles.

Holds no secret that opens a report at rest.
"""
