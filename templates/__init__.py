"""The pages of relay and desk, as package data."""
