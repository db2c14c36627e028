"""Errors that a client gets, each with one of Google's RPC statuses.

All errors have the same envelope, so there is one class, and a subclass where callers catch one
kind of error. The functions below create the common ones. An error never changes after it is made:
one object may be raised, logged and shared more than once.
"""

from typing import TYPE_CHECKING, Final, Self, cast

from providers.status import Status

# For a limit of the proxy itself.
_RETRY_AFTER_SECONDS: Final = "1"


class FerryError(Exception):
    """An error response to the client.

    Its texts may quote what a client or an upstream sent, and are always valid Unicode.
    `message` says what is wrong and what would be right, after `path`, the JSON path of the field
    at fault. `provider`, `reason` and `request_id` say which provider refused, its own error type,
    and its request id. `retry_after` is whole seconds, as text. `upload_status` is what
    `X-Goog-Upload-Status` must say when the status alone does not decide it.
    """

    def __new__(cls, *args: object, **_: object) -> Self:
        """The status decides the class, as `errno` does for OSError."""
        found = cls is FerryError and args[:1] == (Status.NOT_FOUND,)
        return super().__new__(cast("type[Self]", NotFound) if found else cls)

    def __init__(
        self,
        status: Status,
        message: str,
        /,
        *,
        path: str | None = None,
        provider: str | None = None,
        reason: str | None = None,
        request_id: str | None = None,
        upstream_status: int | None = None,
        retry_after: str | None = None,
        upload_status: str | None = None,
    ) -> None:
        super().__init__(_unicode(message if path is None else f"{path}: {message}"))
        self.status: Final = status
        self.path: Final = path and _unicode(path)
        self.provider: Final = provider and _unicode(provider)
        self.reason: Final = reason and _unicode(reason)
        self.request_id: Final = request_id and _unicode(request_id)
        self.upstream_status: Final = upstream_status
        self.retry_after: Final = retry_after
        self.upload_status: Final = upload_status

    if not TYPE_CHECKING:  # mypy checks the `Final` attributes instead

        def __setattr__(self, name: str, value: object) -> None:
            # Python itself must be able to set `__traceback__` and others.
            if name == "args" or name in vars(self):
                raise AttributeError(f"{name} of an error cannot change")
            super().__setattr__(name, value)

    @property
    def code(self) -> int:
        """The HTTP status."""
        return self.status.http

    @property
    def message(self) -> str:
        return str(self.args[0])

    @property
    def permanent(self) -> bool:
        """Whether the same request would certainly be refused again."""
        if self.code >= 500:
            return self.code == 501
        return self.status is not Status.RESOURCE_EXHAUSTED

    def naming(self, provider: str) -> Self:
        """The same error of this provider."""
        return self._copied(self.message, provider=_unicode(provider))

    def adding(self, text: str) -> Self:
        """The same error with more text in its message."""
        return self._copied(f"{self.message}{text}")

    def restated(self, status: Status) -> "FerryError":
        """The same error with another status; its origin and reason stay."""
        return FerryError(
            status,
            self.message,
            provider=self.provider,
            reason=self.reason,
            request_id=self.request_id,
            upstream_status=self.upstream_status,
            retry_after=self.retry_after,
            upload_status=self.upload_status,
        )

    def _copied(self, message: str, **changes: object) -> Self:
        """A copy of the same class, with what a subclass adds."""
        copy = type(self).__new__(type(self))
        Exception.__init__(copy, _unicode(message))
        vars(copy).update(vars(self), **changes)
        return copy


def _unicode(text: str) -> str:
    """`text` with escapes for lone surrogates, as Python reads bytes that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


class NotFound(FerryError):
    """Every `FerryError(Status.NOT_FOUND, ...)`; a 404 of Google's uploads stays GoogleRefusal."""


class CredentialRefused(FerryError):
    """The provider says that the credential is invalid, not only that it may not do something."""


def invalid_argument(message: str, *, path: str | None = None) -> FerryError:
    return FerryError(Status.INVALID_ARGUMENT, message, path=path)


def failed_precondition(message: str, *, upload_status: str | None = None) -> FerryError:
    return FerryError(Status.FAILED_PRECONDITION, message, upload_status=upload_status)


def unauthenticated(message: str) -> FerryError:
    return FerryError(Status.UNAUTHENTICATED, message)


def not_found(message: str, *, path: str | None = None) -> NotFound:
    return NotFound(Status.NOT_FOUND, message, path=path)


def already_exists(message: str) -> FerryError:
    return FerryError(Status.ALREADY_EXISTS, message)


def resource_exhausted(message: str) -> FerryError:
    """A limit of the proxy itself is reached; other requests will soon free capacity."""
    return FerryError(Status.RESOURCE_EXHAUSTED, message, retry_after=_RETRY_AFTER_SECONDS)


def unimplemented(message: str) -> FerryError:
    return FerryError(Status.UNIMPLEMENTED, message)


def unavailable(message: str) -> FerryError:
    return FerryError(Status.UNAVAILABLE, message)
