"""The bytes that every SDK runner uploads when it gets a size and no file.

Byte `i` is `i mod 251`. 251 is prime, so no two of a file's chunks, parts or slices (all powers of
two long) begin alike: bytes that are dropped, doubled or swapped are seen. `javascript/runner.mjs`
and `go/main.go` make the same bytes.
"""

PERIOD = 251


def pattern_bytes(size: int, start: int = 0) -> bytes:
    """The bytes from `start` to `start + size` of the infinite pattern."""
    phase = start % PERIOD
    cycles = (phase + size) // PERIOD + 1
    return (bytes(range(PERIOD)) * cycles)[phase : phase + size]
