from dataclasses import dataclass

import pytest
from yarl import URL

from providers.credential import Caller, Credential
from providers.credential_proof import CredentialProof, WitnessedUpstream
from providers.errors import CredentialRefused, FerryError, invalid_argument
from providers.known_credentials import KnownCredentials
from providers.status import Status
from providers.upstream import OutboundRequest, Reply
from tests.test_middlewares.running_chain import ScriptedReply

CALLER = Caller(Credential(api_key="key"), "tenant")
REQUEST = OutboundRequest("GET", URL("http://provider/models"))


@dataclass
class _Answering:
    status: int = 200

    async def send(self, _: OutboundRequest) -> Reply:
        return ScriptedReply(self.status)


@pytest.fixture
def known() -> KnownCredentials:
    return KnownCredentials()


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_success_accepts_the_caller(known: KnownCredentials, status: int) -> None:
    with CredentialProof(known, CALLER).open():
        await WitnessedUpstream(_Answering(status)).send(REQUEST)
    assert known.accepted("tenant")


@pytest.mark.parametrize("status", [302, 400, 403, 404, 405, 429, 500, 503])
async def test_other_answers_say_nothing(known: KnownCredentials, status: int) -> None:
    with CredentialProof(known, CALLER).open():
        await WitnessedUpstream(_Answering(status)).send(REQUEST)
    assert not known.accepted("tenant")
    assert not known.refused("tenant")


async def test_a_401_refuses_the_caller(known: KnownCredentials) -> None:
    known.accept("tenant")
    with CredentialProof(known, CALLER).open():
        await WitnessedUpstream(_Answering(401)).send(REQUEST)
    assert known.refused("tenant")


async def test_an_answer_to_everybody_accepts_no_caller(known: KnownCredentials) -> None:
    with CredentialProof(known, CALLER, public=True).open():
        await WitnessedUpstream(_Answering()).send(REQUEST)
    assert not known.accepted("tenant")


async def test_work_without_a_caller_accepts_nobody(known: KnownCredentials) -> None:
    with CredentialProof(known, CALLER).open():
        pass
    await WitnessedUpstream(_Answering()).send(REQUEST)
    assert not known.accepted("tenant")


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (CredentialRefused(Status.UNAUTHENTICATED, "invalid", upstream_status=403), True),
        (FerryError(Status.PERMISSION_DENIED, "not allowed", upstream_status=403), False),
        (invalid_argument("a field is wrong"), False),
    ],
)
def test_only_a_refused_credential_refuses_the_caller(
    known: KnownCredentials, error: FerryError, *, refused: bool
) -> None:
    with pytest.raises(FerryError), CredentialProof(known, CALLER).open():
        raise error
    assert known.refused("tenant") is refused
