from dataclasses import dataclass

import pytest
from yarl import URL

from providers.credential import Caller, Credential
from providers.credential_proof import CredentialProof, GuardedState, WitnessedUpstream
from providers.errors import CredentialRefused, FerryError, invalid_argument
from providers.known_credentials import KnownCredentials
from providers.state import State, write
from providers.status import Status
from providers.upstream import OutboundRequest, Reply, invalid_answer
from tests.memory_state import MemoryState
from tests.test_middlewares.running_chain import ScriptedReply

CONTENT = b"content"
CALLER = Caller(Credential(api_key="key"), "tenant")
REQUEST = OutboundRequest("GET", URL("http://provider/models"))


@dataclass
class _Answering:
    status: int = 200

    async def send(self, _: OutboundRequest) -> Reply:
        return ScriptedReply(self.status)


class _Check:
    """Counts how often the provider is asked; `error` is its answer."""

    def __init__(self, error: FerryError | None = None) -> None:
        self.asked = 0
        self._error = error

    async def __call__(self, _: Caller) -> None:
        self.asked += 1
        if self._error is not None:
            raise self._error


async def unasked(_: Caller) -> None:
    raise AssertionError("the provider must not be asked")


@pytest.fixture
def known() -> KnownCredentials:
    return KnownCredentials()


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_success_accepts_the_caller(known: KnownCredentials, status: int) -> None:
    with CredentialProof(known, CALLER, unasked).open():
        await WitnessedUpstream(_Answering(status)).send(REQUEST)
    assert known.accepted("tenant")


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 429, 500, 503])
async def test_other_answers_say_nothing(known: KnownCredentials, status: int) -> None:
    with CredentialProof(known, CALLER, unasked).open():
        await WitnessedUpstream(_Answering(status)).send(REQUEST)
    assert not known.accepted("tenant")
    assert not known.refused("tenant")


async def test_an_answer_to_everybody_accepts_no_caller(known: KnownCredentials) -> None:
    with CredentialProof(known, CALLER, unasked, public=True).open():
        await WitnessedUpstream(_Answering()).send(REQUEST)
    assert not known.accepted("tenant")


async def test_work_without_a_caller_accepts_nobody(known: KnownCredentials) -> None:
    with CredentialProof(known, CALLER, unasked).open():
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
    with pytest.raises(FerryError), CredentialProof(known, CALLER, unasked).open():
        raise error
    assert known.refused("tenant") is refused


# --- the store ------------------------------------------------------------------------------------


@pytest.fixture
def memory() -> MemoryState:
    return MemoryState()


async def store_twice(state: State) -> None:
    await write(state, "uploads/1/key", CONTENT)
    await write(state, "uploads/2/key", CONTENT)


async def test_the_provider_is_asked_before_the_first_object(
    known: KnownCredentials, memory: MemoryState
) -> None:
    check = _Check()
    with CredentialProof(known, CALLER, check).open():
        await store_twice(GuardedState(memory))
    assert check.asked == 1
    assert len(memory.objects) == 2


async def test_an_accepted_caller_is_not_asked_about(
    known: KnownCredentials, memory: MemoryState
) -> None:
    known.accept("tenant")
    with CredentialProof(known, CALLER, unasked).open():
        await store_twice(GuardedState(memory))
    assert len(memory.objects) == 2


async def test_a_call_in_the_same_request_is_proof_enough(
    known: KnownCredentials, memory: MemoryState
) -> None:
    with CredentialProof(known, CALLER, unasked).open():
        await WitnessedUpstream(_Answering()).send(REQUEST)
        await store_twice(GuardedState(memory))
    assert len(memory.objects) == 2


async def test_an_upload_that_was_started_is_not_asked_about(
    known: KnownCredentials, memory: MemoryState
) -> None:
    with CredentialProof(known, CALLER, unasked, proven=True).open():
        await store_twice(GuardedState(memory))
    assert len(memory.objects) == 2


async def test_work_without_a_caller_stores_unasked(memory: MemoryState) -> None:
    await store_twice(GuardedState(memory))
    assert len(memory.objects) == 2


async def test_a_long_request_is_asked_about_once(memory: MemoryState) -> None:
    now = 0.0
    check = _Check()
    with CredentialProof(KnownCredentials(lambda: now), CALLER, check).open():
        await write(GuardedState(memory), "uploads/1/key", CONTENT)
        now = 1_000_000
        await write(GuardedState(memory), "uploads/2/key", CONTENT)
    assert check.asked == 1


@pytest.mark.parametrize(
    "error",
    [
        CredentialRefused(Status.UNAUTHENTICATED, "invalid", upstream_status=403),
        FerryError(Status.RESOURCE_EXHAUSTED, "slow", upstream_status=429),
        FerryError(Status.DEADLINE_EXCEEDED, "slow", upstream_status=408),
        FerryError(Status.UNAVAILABLE, "down", upstream_status=500),
        FerryError(Status.UNAVAILABLE, "elsewhere", upstream_status=302),
        invalid_answer("not HTTP"),
        invalid_argument("no region"),
    ],
    ids=lambda error: error.message,
)
async def test_nothing_is_stored_unless_the_provider_can_say(
    memory: MemoryState, error: FerryError
) -> None:
    state = GuardedState(memory)
    for attempt in (write(state, "uploads/1/key", CONTENT), state.multipart.begin("staged/1")):
        with pytest.raises(FerryError, match=error.message):
            with CredentialProof(KnownCredentials(), CALLER, _Check(error)).open():
                await attempt
    assert memory.objects == {}


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
async def test_an_answer_that_leaves_it_open_is_no_refusal(
    known: KnownCredentials, memory: MemoryState, status: int
) -> None:
    check = _Check(FerryError(Status.PERMISSION_DENIED, "no", upstream_status=status))
    with CredentialProof(known, CALLER, check).open():
        await store_twice(GuardedState(memory))
    assert check.asked == 1
    assert len(memory.objects) == 2
    assert not known.accepted("tenant")


async def test_a_refusal_is_not_asked_about_again(
    known: KnownCredentials, memory: MemoryState
) -> None:
    check = _Check(CredentialRefused(Status.UNAUTHENTICATED, "invalid"))
    for _ in range(3):
        with pytest.raises(FerryError) as caught:
            with CredentialProof(known, CALLER, check).open():
                await write(GuardedState(memory), "uploads/1/key", CONTENT)
        assert caught.value.status is Status.UNAUTHENTICATED
    assert check.asked == 1
