"""Random requests to a running proxy, and random bytes to its parsers."""
