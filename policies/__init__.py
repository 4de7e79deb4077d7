"""The policy language, its checker, and complete procedures to start from."""
