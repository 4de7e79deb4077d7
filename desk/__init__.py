"""The counselor's offline desk: the only place where a private key of a reader lives."""
