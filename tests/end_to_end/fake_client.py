"""The fakes' API for tests (`tests/fakes/control.py`), as end-to-end tests use it."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from aiohttp import ClientSession

from tests.fakes.aws_keys import LONG_TERM, TEMPORARY, KeyPair
from tests.processes import Started, upstream_settings

Match = Mapping[str, Any]

ATTEMPTS: Final = 3
"""How often the proxy makes a call that may be repeated. A fault is seen if it strikes as often."""

WAIT_SECONDS: Final = "10"
"""The longest wait for an event."""


@dataclass(frozen=True)
class Kind:
    """The name of a kind of upstream, its keys, and how uploads to it look.

    `part` matches a request with one chunk of a larger file (with the last chunk only if its
    request is like the others; None if the chunks wait in the proxy's state store), `finish` the
    request that ends such a file, and `whole` the one with a file of one chunk. `create` matches
    the request that creates a batch.

    `fake_options` are the fake's, and `settings` those of its provider at the proxy. With
    `key_pairs`, both keys belong to one account and only their ids are sent to the upstream;
    otherwise each key has a project of its own.
    """

    name: str
    key: str
    other_key: str
    headers: Mapping[str, str]
    part: Match | None
    finish: Match
    whole: Match
    create: Match
    fake_options: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    key_pairs: tuple[KeyPair, KeyPair] | None = None

    @property
    def secrets(self) -> list[str]:
        """The secret parts of both keys."""
        if self.key_pairs is None:
            return [self.key, self.other_key]
        parts = [(pair.secret_access_key, pair.session_token) for pair in self.key_pairs]
        return [part for pair in parts for part in pair if part is not None]

    @property
    def shown_key(self) -> str:
        """The part of `key` that is sent to the upstream."""
        return self.key if self.key_pairs is None else self.key_pairs[0].access_key_id


def _command(command: str) -> Match:
    return {"method": "POST", "headers": {"X-Goog-Upload-Command": f"^{command}$"}}


GEMINI: Final = Kind(
    name="gemini",
    key="AIzaOfTheEndToEndTests",
    other_key="AIzaOfSomebodyElse",
    headers={},
    part=_command("upload"),
    finish=_command("upload, finalize"),
    whole=_command("upload, finalize"),
    create={"method": "POST", "path": ":batchGenerateContent$"},
)
OPENAI: Final = Kind(
    name="openai",
    key="sk-of-the-end-to-end-tests",
    other_key="sk-of-somebody-else",
    headers={"x-model-provider": "openai"},
    part={"method": "POST", "path": "/parts$"},
    finish={"method": "POST", "path": "/complete$"},
    whole={"method": "POST", "path": "^/v1/files$"},
    create={"method": "POST", "path": "^/v1/batches$"},
)
ANTHROPIC: Final = Kind(
    name="anthropic",
    key="sk-ant-api-of-the-end-to-end-tests",
    other_key="sk-ant-api-of-somebody-else",
    headers={"x-model-provider": "anthropic"},
    part=None,
    finish={"method": "POST", "path": "^/v1/files$"},
    whole={"method": "POST", "path": "^/v1/files$"},
    create={"method": "POST", "path": "^/v1/messages/batches$"},
)
MISTRAL: Final = Kind(
    name="mistral",
    key="ofTheEndToEndTestsWithThirtyTwo0",
    other_key="ofSomebodyElseWithItsThirtyTwo00",
    headers={"x-model-provider": "mistral"},
    part=None,
    finish={"method": "POST", "path": "^/v1/files$"},
    whole={"method": "POST", "path": "^/v1/files$"},
    create={"method": "POST", "path": "^/v1/batch/jobs$"},
)
BEDROCK: Final = Kind(
    name="bedrock",
    key=LONG_TERM.api_key,
    other_key=TEMPORARY.api_key,
    headers={"x-model-provider": "bedrock"},
    part={"method": "PUT", "query": "partNumber="},
    finish={"method": "POST", "query": "uploadId="},
    whole={"method": "PUT", "query": "^(?!.*partNumber=)"},
    create={"method": "POST", "path": "^/model-invocation-job$"},
    # A few requests are enough for a job.
    fake_options=("--min-records", "1"),
    settings={"MIN_RECORDS": "1"},
    key_pairs=(LONG_TERM, TEMPORARY),
)
KINDS: Final = {kind.name: kind for kind in (GEMINI, OPENAI, ANTHROPIC, MISTRAL, BEDROCK)}

IMMEDIATE: Final[Mapping[str, str]] = {"IMMEDIATE_BATCHES": "small", "MIN_RECORDS": "100"}
"""The settings of a proxy that runs Bedrock's small batches itself."""

CONVERSE: Final[Match] = {"method": "POST", "path": "/converse$"}

CHUNKS_GO_UPSTREAM: Final = pytest.mark.parametrize(
    "fake", [name for name, kind in KINDS.items() if kind.part is not None], indirect=True
)
"""The kinds for tests of what happens to a chunk on its way."""


class FakeClient:
    """A running fake. `reset` deletes everything.

    Every credential is a project of its own, except that Bedrock's key pairs share one account.
    """

    def __init__(self, kind: Kind, process: Started, session: ClientSession) -> None:
        self.kind = kind
        self.base_url = str(process.ready["url"])
        self.as_upstream = {**upstream_settings(process), **kind.settings}
        self._control = f"{process.ready['control']}/_fake"
        self._session = session

    async def reset(self) -> None:
        await self._post("reset", {})

    async def settings(self, **changed: Any) -> None:
        await self._post("settings", changed)

    async def arm(
        self, match: Match | None, kind: str, *, nth: int = 1, times: int = 1, **fault: Any
    ) -> str:
        """Arms a fault for `times` requests that match, from the `nth` from now on.

        Returns the fault's name.
        """
        assert match is not None, "this upstream gets no such request"
        order = {
            "match": {**match, "nth": nth, "times": times},
            "fault": {"kind": kind, **fault},
        }
        return str((await self._post("faults", order))["name"])

    async def disarm(self) -> None:
        """No fault applies from now on."""
        async with self._session.delete(f"{self._control}/faults") as reply:
            assert reply.status == 200, await reply.text()

    async def release(self, name: str) -> None:
        await self._post("release", {"name": name})

    async def struck(self, name: str) -> None:
        """Waits until the fault with that name was applied."""
        await self._get("events", wait=name)

    async def ended(self, count: int = 1, **which: str) -> None:
        """Waits until `count` requests have ended; `which` narrows by path, method, outcome."""
        await self._get("events", wait="requests", count=str(count), **which)

    async def received(self, count: int, **which: str) -> None:
        """Waits until `count` bytes of a request's body have arrived."""
        await self._get("events", wait="bytes", count=str(count), **which)

    async def requests(self, **which: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._get("requests", **which))["requests"]
        return found

    async def objects(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = await self._get("objects")
        return found

    async def snapshot(self) -> dict[str, Any]:
        """Everything that it stores, to restore it in another run (`tests/fakes/snapshot.py`)."""
        found: dict[str, Any] = await self._get("snapshot")
        return found

    async def put_snapshot(self, snapshot: Mapping[str, Any]) -> None:
        await self._post("snapshot", snapshot)

    async def steer(self, batch: str, **order: Any) -> None:
        """Advance the batch with that name, or hold it, as each fake's `backdoor` describes."""
        await self._post(f"batches/{batch.removeprefix('batches/')}", order)

    async def expire_upload(self, native_id: str) -> None:
        await self._post(f"uploads/{native_id}", {"status": "expired"})

    async def steer_file(self, native_id: str, **order: Any) -> None:
        """Change a file at Anthropic, through the backdoor for uploads."""
        await self._post(f"uploads/{native_id}", order)

    async def sha256(self, name: str) -> str:
        """The sha256 of the file that clients call `name`."""
        return str((await self._get(f"files/{self.native_id(name)}/sha256"))["sha256"])

    async def check_only_file(self, file: Mapping[str, Any], content: bytes) -> None:
        """Checks that `file`, as a client got it, is the only file here, and has this `content`."""
        assert int(file.get("sizeBytes") or 0) == len(content)
        assert await self.sha256(file["name"]) == hashlib.sha256(content).hexdigest()
        assert len((await self.objects())["files"]) == 1

    def native_id(self, name: str) -> str:
        """The upstream's own id (contract.md section 3), decoded without our code."""
        own = name.removeprefix("files/")
        if self.kind is GEMINI:
            return own
        return base64.b32decode(own[1:].upper() + "=" * (-len(own[1:]) % 8)).decode()

    async def _get(self, path: str, /, **query: str) -> Any:
        query = {"timeout": WAIT_SECONDS, **query}
        async with self._session.get(f"{self._control}/{path}", params=query) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def _post(self, path: str, order: Any) -> Any:
        async with self._session.post(f"{self._control}/{path}", json=order) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()
