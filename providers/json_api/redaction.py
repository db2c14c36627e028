"""A provider may quote the caller's key, so it is removed from every reason that it gives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from providers.credential import Caller
from providers.resources import Failure
from providers.upstream import UpstreamError


def without_secret(text: str, caller: Caller) -> str:
    """`text`, in which a provider may have quoted the caller's key."""
    secret = caller.credential.secret
    return text.replace(secret, "***") if secret else text


def failure_without_secret(failure: Failure, caller: Caller) -> Failure:
    return Failure(failure.status, without_secret(failure.message, caller))


def result_without_secret(result: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """The translated result of a request, which may be an error."""
    error = result.get("error")
    if error is None:
        return result
    return {"error": error | {"message": without_secret(error["message"], caller)}}


def redacted(error: UpstreamError, redact: Callable[[str], str]) -> UpstreamError:
    """`error` without what `redact` removes from what the provider said."""
    reason = error.reason and redact(error.reason)
    return UpstreamError(error.status, redact(error.message), reason=reason)


@contextmanager
def secret_removed(caller: Caller) -> Iterator[None]:
    """For an answer in which the provider may say that it failed: raises that without the key."""
    try:
        yield
    except UpstreamError as error:
        raise redacted(error, lambda text: without_secret(text, caller)) from None
