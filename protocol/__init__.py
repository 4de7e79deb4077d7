"""What crosses a boundary: bytes in, bytes out.

Pure by law (import-linter): no Flask, no files, no clock, no network, no PGPy.
docs/PROTOCOL.md is the text that this package implements.
"""
