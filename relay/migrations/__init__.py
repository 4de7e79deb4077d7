"""The history of the schema, run by `relay.database` from package data."""
