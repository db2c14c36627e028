"""Which file of the request's provider a `fileUri` names (contract.md section 3)."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

from aiohttp import web

from middlewares.paths import PREFIX
from middlewares.provider_resolution import check_file_owner, elsewhere
from middlewares.request_keys import GATEWAY, PROVIDER, Gateway
from providers.errors import invalid_argument
from providers.provider import Provider
from providers.resource_names import file_id_of_uri
from providers.resources import FileOfUri

_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)
# As every proxy of this kind writes it.
_OUR_PATH: Final = f"{PREFIX}/v1beta/files/"


def file_of_uri(request: web.Request) -> FileOfUri:
    """For the fields of this request."""
    gateway = request.app[GATEWAY]
    own = gateway.public_address.of(request)
    return partial(_file_of_uri, gateway, request[PROVIDER], own)


def _file_of_uri(gateway: Gateway, provider: Provider, own: str, uri: str, path: str) -> str | None:
    """`own` is the proxy's address. None if `uri` is neither a file's name nor of a proxy."""
    file_id = file_id_of_uri(uri)
    if _SCHEME.match(uri):
        if _is_below(own, uri):
            if file_id is None:
                raise invalid_argument("is an address of this proxy, but not a file's", path=path)
        elif _OUR_PATH not in uri:
            _refuse_others(uri, gateway.others(provider), path)
            return None
        elif gateway.public_address.is_configured:
            raise invalid_argument(
                f"names a file at another proxy; the address of this one is {own}", path=path
            )
        # Without a configured address the client may know this proxy by another host.
    elif not uri.startswith("files/"):
        return None
    if file_id is None:
        raise invalid_argument("is not the name of a file", path=path)
    check_file_owner(gateway, provider, file_id, path)
    return file_id


def _is_below(own: str, uri: str) -> bool:
    """A proxy in front may change the scheme."""
    address, named = (_SCHEME.sub("", text, count=1).lower() for text in (own, uri))
    return named.startswith(f"{address}/")


def _refuse_others(uri: str, others: Sequence[Provider], path: str) -> None:
    """Raises NOT_FOUND for a file at the host of another provider, which only that one can read."""
    host = uri.partition("://")[2].partition("/")[0].lower()
    owners = [
        other
        for other in others
        if other.names.file_uris is not None and other.names.file_uris.host.search(host)
    ]
    if owners:
        raise elsewhere("this file", owners, path)
