"""The bytes that every SDK runner uploads when it is asked for a size and not for a file.

Byte `i` is `i mod 251`. 251 is prime, so no two of a file's chunks, parts or slices (all powers of
two long) begin alike: bytes that are dropped, doubled or swapped are seen. `javascript/runner.mjs`
and `go/main.go` make the same bytes.
"""

PERIOD = 251


def pattern_bytes(size: int, start: int = 0) -> bytes:
    """The bytes at offsets `start` up to `start + size` of the endless pattern."""
    phase = start % PERIOD
    cycles = (phase + size) // PERIOD + 1
    return (bytes(range(PERIOD)) * cycles)[phase : phase + size]
