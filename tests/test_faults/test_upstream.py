"""An upstream that fails in every way, in every call: a clear answer at once, and nothing lost.

Every request to the upstream gets the fault while all calls are made. Then the faults end, and all
calls are made again.
"""

import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import BatchClient
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.processes import Process, proxy
from tests.test_faults.calls import (
    BROKEN_OFF,
    CALLS,
    CREATIONS,
    ENDS,
    READS,
    Objects,
    outcome,
    outcomes,
    prepare,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

TRANSLATED: Final = pytest.mark.parametrize(
    "fake", ["openai", "anthropic", "mistral", "bedrock"], indirect=True
)
ALWAYS: Final = 1_000_000
UNAVAILABLE: Final = "503 UNAVAILABLE"
TOO_LATE: Final = "504 DEADLINE_EXCEEDED"
IN_JSON: Final = {"Content-Type": "application/json"}
IN_HTML: Final = {"Content-Type": "text/html"}


@dataclass(frozen=True)
class Fault:
    """`gemini` is what a client sees of it at Gemini, whose answers are relayed unchanged."""

    kind: str
    how: Mapping[str, Any]
    expected: str
    gemini: str
    besides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What single calls at a provider end with instead."""


def with_status(status: int, body: object, headers: Mapping[str, str] = IN_JSON) -> dict[str, Any]:
    return {"status": status, "body": body, "headers": headers}


WITHOUT_A_BODY: Final = {
    "gemini": {"start upload": "200"},
    "bedrock": dict.fromkeys(("get file", "delete file", "upload"), "200"),
}
"""These answers have none that could break off."""

OF_A_FILE: Final = {
    "gemini": {"start upload": UNAVAILABLE},
    "bedrock": {"get file": "200", "create from file": "400 INVALID_ARGUMENT"},
}
"""What S3 answers to a GET is the file, whatever it is; Google names an upload URL in a header."""

FAULTS: Final = {
    "resets the connection": Fault("reset", {}, UNAVAILABLE, UNAVAILABLE),
    "does the work and closes": Fault("lose_answer", {}, UNAVAILABLE, UNAVAILABLE),
    "breaks off its answer": Fault(
        "truncate", {"after_bytes": 1}, UNAVAILABLE, BROKEN_OFF, WITHOUT_A_BODY
    ),
    "breaks off between chunks": Fault(
        "cut_chunks",
        {"after_bytes": 1},
        UNAVAILABLE,
        BROKEN_OFF,
        {
            "gemini": {"start upload": UNAVAILABLE},
            "bedrock": {"get file": "200", "delete file": "200"},
        },
    ),
    "answers 500 in HTML": Fault(
        "status",
        with_status(500, "<html>", IN_HTML),
        UNAVAILABLE,
        "500 relayed",
        {"gemini": {"start upload": "500 INTERNAL"}},
    ),
    "answers HTML": Fault(
        "status", with_status(200, "<html>", IN_HTML), UNAVAILABLE, "200", OF_A_FILE
    ),
    "answers cut JSON": Fault(
        "status", with_status(200, '{"id": "fi'), UNAVAILABLE, "200", OF_A_FILE
    ),
    "compresses its answer": Fault(
        "compress",
        {},
        UNAVAILABLE,
        "200",
        {"bedrock": OF_A_FILE["bedrock"] | WITHOUT_A_BODY["bedrock"]},
    ),
}


def not_asked(fake: FakeClient) -> set[str]:
    """The calls that need nothing of this upstream, which has accepted the key just before."""
    return set() if fake.kind.name == "gemini" else {"start upload"}


@pytest.fixture
def client(fake: FakeClient, ferry: Ferry, http: ClientSession) -> BatchClient:
    return BatchClient(ferry.base_url, fake.kind, http)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hurried(ferry: Ferry, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    """A proxy with short deadlines."""
    short = dict.fromkeys(("CALL", "ANSWER", "STALL"), "1")
    env = {f"FERRY_{name}_SECONDS": seconds for name, seconds in short.items()}
    async with proxy(tmp_path_factory.mktemp("hurried"), ferry.upstreams, env) as process:
        yield process


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_an_upstream_that(client: BatchClient, fake: FakeClient, fault: Fault) -> None:
    on = await prepare(client)
    await fake.arm({}, fault.kind, times=ALWAYS, **fault.how)
    ended = await outcomes(client, on)
    await fake.disarm()
    usual = fault.gemini if fake.kind.name == "gemini" else fault.expected
    besides = dict(fault.besides.get(fake.kind.name, {}))
    assert await unlike(ended, expected(usual, fake) | besides, client, on) == {}
    await check_recovery(client, on)


def expected(usual: str, fake: FakeClient) -> dict[str, str]:
    """The outcome of each call, if the upstream always does the same."""
    return dict.fromkeys(CALLS, usual) | dict.fromkeys(not_asked(fake), "200")


async def unlike(
    ended: Mapping[str, str], wanted: Mapping[str, str], client: BatchClient, on: Objects
) -> dict[str, str]:
    """The outcomes that are not as expected.

    A file may be deleted in spite of the fault: a repeat that finds none knows it.
    """
    found = {call: outcome for call, outcome in ended.items() if outcome != wanted[call]}
    if found.get("delete file") == "200":
        assert await outcome(client.call("GET", f"v1beta/{on.spare_image}")) != "200"
        del found["delete file"]
    return found


async def check_recovery(client: BatchClient, on: Objects) -> None:
    assert await outcomes(client, on, READS | CREATIONS) == dict.fromkeys(READS | CREATIONS, "200")


async def test_an_upstream_that_refuses_connections(
    ferry: Ferry, client: BatchClient, fake: FakeClient, http: ClientSession
) -> None:
    on = await prepare(client)
    # A bound socket that does not listen: its port refuses, and no other process can take it.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        nowhere = {
            name: {
                setting: url if value.startswith("http:") else value
                for setting, value in settings.items()
            }
            for name, settings in ferry.upstreams.items()
        }
        async with proxy(ferry.state, nowhere) as process:
            ended = await outcomes(BatchClient(f"{process.url}/genai", fake.kind, http), on)
    assert ended == dict.fromkeys(CALLS, UNAVAILABLE)


@TRANSLATED
async def test_an_upstream_that_sends_more_than_it_declares(
    client: BatchClient, fake: FakeClient
) -> None:
    """What follows is never taken for the answer to the next call."""
    on = await prepare(client)
    calls = {name: READS[name] for name in ("list files", "list batches", "get batch")}
    await fake.arm({}, "excess", times=ALWAYS, after_bytes=1)
    ended = await outcomes(client, on, calls)
    await fake.disarm()
    assert ended == dict.fromkeys(calls, UNAVAILABLE)
    await check_recovery(client, on)


async def test_an_upstream_that_never_answers(
    hurried: Process, fake: FakeClient, http: ClientSession
) -> None:
    client = BatchClient(f"{hurried.url}/genai", fake.kind, http)
    on = await prepare(client)
    await fake.arm({}, "delay", times=ALWAYS)
    ended = await outcomes(client, on)
    await fake.disarm()
    assert await unlike(ended, expected(TOO_LATE, fake), client, on) == {}
    await check_recovery(client, on)


@TRANSLATED
async def test_an_upstream_that_answers_a_few_bytes_a_second(
    hurried: Process, fake: FakeClient, http: ClientSession
) -> None:
    """It is never silent for long. A file that is read may take as long as it makes progress."""
    client = BatchClient(f"{hurried.url}/genai", fake.kind, http)
    on = await prepare(client)
    calls = dict(CALLS)
    del calls["download"], calls["create from file"]
    await fake.arm({}, "trickle", times=ALWAYS)
    ended = await outcomes(client, on, calls)
    await fake.disarm()
    besides = WITHOUT_A_BODY.get(fake.kind.name, {})
    assert await unlike(ended, expected(TOO_LATE, fake) | besides, client, on) == {}
    await check_recovery(client, on)


async def test_an_upstream_that_fails_once(client: BatchClient, fake: FakeClient) -> None:
    """A cancel is a POST, which Gemini's relay does not repeat."""
    on = await prepare(client)
    ended = {}
    for name, call in (READS | ENDS).items():
        await fake.arm({}, "status", status=503)
        ended[name] = await outcome(call(client, on))
        await fake.disarm()
    cancelled = "503 relayed" if fake.kind.name == "gemini" else "200"
    assert ended == dict.fromkeys(ended, "200") | {"cancel batch": cancelled}


async def test_an_upstream_that_asks_to_wait(client: BatchClient, fake: FakeClient) -> None:
    """Longer than the call may take: the client decides."""
    on = await prepare(client)
    await fake.arm({}, "status", times=ALWAYS, status=429, headers={"Retry-After": "120"})
    answers = {name: await call(client, on) for name, call in CALLS.items()}
    await fake.disarm()
    told = {name: (each.code, each.headers.get("Retry-After")) for name, each in answers.items()}
    asked = set(CALLS) - not_asked(fake)
    assert {name: told[name] for name in asked} == dict.fromkeys(asked, (429, "120"))
