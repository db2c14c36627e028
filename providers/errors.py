"""Errors that a client gets, named as Google's RPC statuses are.

There is one class, because all errors have the same envelope; the functions below create the
common ones. HTTP statuses follow translation.md section 6.
"""

from collections.abc import Mapping
from typing import Final

HTTP_OF_STATUS: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
# For a limit of the proxy itself.
_RETRY_AFTER_SECONDS: Final = "1"


class FerryError(Exception):
    """An error response to the client.

    `status` is the RPC name, `message` says what is wrong and what would be right. `path` is the
    JSON path of the field at fault. `provider`, `reason` and `request_id` say which provider
    refused, its own error type, and its request id. `upload_status` is what
    `X-Goog-Upload-Status` must say when the status alone does not decide it.
    """

    def __init__(
        self,
        status: str,
        message: str,
        *,
        path: str | None = None,
        provider: str | None = None,
        reason: str | None = None,
        request_id: str | None = None,
        upstream_status: int | None = None,
        retry_after: str | None = None,
        upload_status: str | None = None,
    ) -> None:
        super().__init__(message if path is None else f"{path}: {message}")
        self.code = HTTP_OF_STATUS[status]
        self.status = status
        self.path = path
        self.provider = provider
        self.reason = reason
        self.request_id = request_id
        self.upstream_status = upstream_status
        self.retry_after = retry_after
        self.upload_status = upload_status

    @property
    def message(self) -> str:
        return str(self.args[0])

    @property
    def permanent(self) -> bool:
        """Whether the same request would certainly be refused again."""
        if self.code >= 500:
            return self.code == 501
        return self.status != "RESOURCE_EXHAUSTED"

    def restated(self, status: str) -> "FerryError":
        """The same error with another status; its origin and reason stay."""
        return FerryError(
            status,
            self.message,
            provider=self.provider,
            reason=self.reason,
            request_id=self.request_id,
            upstream_status=self.upstream_status,
            upload_status=self.upload_status,
        )


def invalid_argument(message: str, *, path: str | None = None) -> FerryError:
    return FerryError("INVALID_ARGUMENT", message, path=path)


def failed_precondition(message: str) -> FerryError:
    return FerryError("FAILED_PRECONDITION", message)


def unauthenticated(message: str) -> FerryError:
    return FerryError("UNAUTHENTICATED", message)


def not_found(message: str, *, path: str | None = None) -> FerryError:
    return FerryError("NOT_FOUND", message, path=path)


def already_exists(message: str) -> FerryError:
    return FerryError("ALREADY_EXISTS", message)


def resource_exhausted(message: str) -> FerryError:
    """A limit of the proxy itself is reached; other requests will soon free capacity."""
    return FerryError("RESOURCE_EXHAUSTED", message, retry_after=_RETRY_AFTER_SECONDS)


def unimplemented(message: str) -> FerryError:
    return FerryError("UNIMPLEMENTED", message)


def unavailable(message: str) -> FerryError:
    return FerryError("UNAVAILABLE", message)
