"""The proxy's own request headers. Unknown ones are refused, so that typos are noticed."""

import re
from difflib import get_close_matches
from typing import Final

from aiohttp import web

from middlewares.request_keys import GATEWAY, PROVIDER
from providers.errors import invalid_argument
from providers.prompt_cache import CACHE_HEADER
from providers.provider import Provider
from providers.resources import ResultForm

IDEMPOTENCY_KEY: Final = "x-ferry-idempotency-key"
EXPIRES_AFTER: Final = "x-ferry-expires-after"
RESULTS: Final = "x-ferry-results"

_PREFIX: Final = "x-ferry-"
# The chain reads these itself; the others are in the `passed_headers` of a provider.
_CHAIN_HEADERS: Final = frozenset({IDEMPOTENCY_KEY, EXPIRES_AFTER, RESULTS})
_NAME_SHOWN: Final = 80
_SECONDS: Final = re.compile(r"[0-9]{1,10}")


def parse_expiry(request: web.Request, provider: Provider) -> int | None:
    """The seconds after which an uploaded file expires; None if the client sets no expiry.

    Called only for the start of an upload, since SDKs send a client's headers with every call.
    Raises INVALID_ARGUMENT for a value that `provider` does not accept.
    """
    text = request.headers.get(EXPIRES_AFTER)
    if text is None:
        return None
    taken = provider.file_expiry
    if taken is None:
        raise invalid_argument(f"{provider.name} cannot expire files: remove {EXPIRES_AFTER}")
    if not _SECONDS.fullmatch(text) or int(text) not in taken:
        raise invalid_argument(
            f"{EXPIRES_AFTER} must be whole seconds from {taken[0]} to {taken[-1]} "
            f"for {provider.name}"
        )
    return int(text)


def parse_result_form(request: web.Request) -> ResultForm:
    """The form in which results are downloaded; by default Gemini's.

    Parsed for every download, so that a wrong value is refused for every file.
    """
    text = request.headers.get(RESULTS, ResultForm.GEMINI)
    if text not in list(ResultForm):
        raise invalid_argument(f"{RESULTS} must be {' or '.join(ResultForm)}")
    return ResultForm(text)


def check_cache_header(request: web.Request) -> None:
    """Raises INVALID_ARGUMENT for a prompt to a provider without such a cache.

    Called only for prompts, since SDKs send a client's headers with every call.
    """
    provider = request[PROVIDER]
    if CACHE_HEADER in request.headers and CACHE_HEADER not in provider.passed_headers:
        raise invalid_argument(
            f"{provider.name} has no prompt cache that can be asked for: remove {CACHE_HEADER}"
        )


def check_ferry_headers(request: web.Request) -> None:
    """Raises INVALID_ARGUMENT for an unknown `x-ferry-` header.

    A header that another call or another provider reads is accepted: an SDK sends its client's
    headers with every call, and a program may use one client for several providers.
    """
    passed = request.app[GATEWAY].passed_headers
    for name in map(str.lower, request.headers):
        if name.startswith(_PREFIX) and name not in _CHAIN_HEADERS and name not in passed:
            ours = sorted(each for each in _CHAIN_HEADERS | passed if each.startswith(_PREFIX))
            endings = [header.removeprefix(_PREFIX) for header in ours]
            close = get_close_matches(name[:_NAME_SHOWN].removeprefix(_PREFIX), endings, n=1)
            hint = f"did you mean {_PREFIX}{close[0]}?" if close else f"known: {', '.join(ours)}"
            raise invalid_argument(f"unknown request header {name[:_NAME_SHOWN]}; {hint}")
