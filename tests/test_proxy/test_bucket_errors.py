import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
)

from providers.errors import FerryError
from providers.status import Status
from providers.upstream import UpstreamError
from proxy.bounded_state import BoundedState
from proxy.bucket_errors import mapped_errors
from tests.memory_state import MemoryState


class Failing(MemoryState):
    """A bucket whose calls fail with `error` in botocore."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def delete(self, name: str) -> None:
        with mapped_errors():
            raise self._error


def refusal(http: int, code: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "the-secret"},
            "ResponseMetadata": {
                "HTTPStatusCode": http,
                "HTTPHeaders": {},
                "HostId": "",
                "RequestId": "",
                "RetryAttempts": 0,
            },
        },
        "AssumeRole",
    )


async def refused(error: Exception) -> FerryError:
    with pytest.raises(FerryError) as caught:
        await BoundedState(Failing(error)).delete("a")
    assert "the-secret" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        CredentialRetrievalError(provider="container-role", error_msg="the-secret"),
        MetadataRetrievalError(error_msg="the-secret"),
        RuntimeError("Credentials were refreshed, but are still expired: the-secret"),
        refusal(400, "Throttling"),
        refusal(400, "RequestTimeout"),
        refusal(400, "IDPCommunicationError"),
        refusal(503, "SlowDown"),
        UpstreamError(Status.UNAVAILABLE, "went silent"),
        OSError("the-secret"),
    ],
    ids=lambda error: str(error)[:40],
)
async def test_what_may_pass_can_be_tried_again(error: Exception) -> None:
    assert (await refused(error)).status == Status.UNAVAILABLE


@pytest.mark.parametrize(
    "error", [NoCredentialsError(), refusal(403, "AccessDenied"), refusal(404, "NoSuchBucket")]
)
async def test_what_lasts_is_not_tried_again(error: Exception) -> None:
    assert (await refused(error)).status == Status.FAILED_PRECONDITION
