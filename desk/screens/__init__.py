"""The desk's screens: a local web application for one counselor, without a network."""
