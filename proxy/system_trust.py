"""The certificates that the system trusts, which are read only for a connection that needs them."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unread() -> Iterator[None]:
    """What is imported in this block reads none; a context that it makes trusts no server.

    aiohttp makes two contexts while it is imported, and reading the certificates for both took a
    tenth of the start. Each connection of ours gets a context of our own.
    """
    ssl.SSLContext.set_default_verify_paths = _nothing  # type: ignore[assignment]
    try:
        yield
    finally:
        # The method of the base class is back.
        del ssl.SSLContext.set_default_verify_paths


def system_trust() -> ssl.SSLContext:
    """A context for connections to upstreams. Reading its files takes 20 ms."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))  # as in aiohttp's default
    return context


def _nothing(_: ssl.SSLContext) -> None:
    pass
