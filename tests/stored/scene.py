"""The installation that makes and opens records: one proxy and its clients."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import ClientSession

from tests.buckets import aws_environment
from tests.end_to_end.batch_client import BatchClient
from tests.end_to_end.fake_client import ANTHROPIC, BEDROCK, GEMINI, OPENAI, FakeClient, Kind
from tests.end_to_end.fake_client import IMMEDIATE as AT_ONCE
from tests.end_to_end.upload_client import UploadClient
from tests.fakes.s3 import FILES_BUCKET
from tests.processes import Upstreams

ANN: Final = "token-of-ann"
BOB: Final = "token-of-bob"
ENVIRONMENT: Final[Mapping[str, str]] = {
    **aws_environment(),
    "FERRY_CLIENT_TOKENS": f"{ANN},{BOB}",
    "FERRY_DRAIN_SECONDS": "1",
}
OWN_KEY: Final = "sk-of-the-proxy-itself"
OWN_GOOGLE_KEY: Final = "AIzaOfTheProxyItself"


def _at(kind: Kind, provider: str, key: str) -> Kind:
    return replace(kind, key=key, headers={"x-model-provider": provider})


CLIENTS: Final[Mapping[str, Kind]] = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "bedrock": BEDROCK,
    # Tenants that share the proxy's own credential.
    "ann": _at(OPENAI, "shared", ANN),
    "bob": _at(OPENAI, "shared", BOB),
    "google-ann": _at(GEMINI, "google", ANN),
    "google-bob": _at(GEMINI, "google", BOB),
    "instant-ann": _at(BEDROCK, "instant", ANN),
    "instant-bob": _at(BEDROCK, "instant", BOB),
    # The proxy runs the batches itself, with the caller's key.
    "small": _at(BEDROCK, "small", BEDROCK.key),
}
IMMEDIATE: Final = ("instant-ann", "small")
"""The clients whose batches the proxy runs itself."""
STRANGERS: Final[Mapping[str, str]] = {
    "ann": "bob",
    "google-ann": "google-bob",
    "instant-ann": "instant-bob",
}


def upstreams(fakes: Mapping[str, FakeClient]) -> Upstreams:
    gemini, openai = fakes["gemini"].as_upstream, fakes["openai"].as_upstream
    bedrock = fakes["bedrock"].as_upstream
    own = {"CREDENTIALS": "ambient"}
    return {
        "openai": openai,
        "anthropic": fakes["anthropic"].as_upstream,
        "bedrock": {**bedrock, **_prefix("jobs")},
        "google": {**gemini, **own, "KIND": "gemini", "API_KEY": OWN_GOOGLE_KEY},
        "shared": {**openai, **own, "KIND": "openai", "API_KEY": OWN_KEY},
        "instant": {**bedrock, **AT_ONCE, **own, **_prefix("instant"), "KIND": "bedrock"},
        "small": {**bedrock, **AT_ONCE, **_prefix("small"), "KIND": "bedrock"},
    }


def _prefix(name: str) -> dict[str, str]:
    return {"S3_URI": f"s3://{FILES_BUCKET}/recorded/{name}"}


@dataclass(frozen=True)
class Scene:
    """A running proxy, and the fakes behind it by kind."""

    base_url: str
    fakes: Mapping[str, FakeClient]
    session: ClientSession

    def batches(self, client: str) -> BatchClient:
        return BatchClient(self.base_url, CLIENTS[client], self.session)

    def uploads(self, client: str) -> UploadClient:
        return UploadClient(self.base_url, CLIENTS[client], self.session)

    def fake(self, client: str) -> FakeClient:
        return self.fakes[CLIENTS[client].name]

    def moved(self, url: str) -> str:
        """An upload URL, moved to the address of this proxy."""
        return f"{self.base_url}/{url.partition('/genai/')[2]}"
