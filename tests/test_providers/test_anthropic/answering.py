"""Anthropic's API over an upstream with scripted answers."""

from yarl import URL

from providers.anthropic.client import anthropic_client
from providers.credential import Caller, Credential
from providers.json_api.client import JsonApi
from providers.upstream import Upstream

BASE = URL("https://api.anthropic.test")
CALLER = Caller(
    Credential("sk-ant-api03-secret"), "tenant", {"anthropic-workspace-id": "w", "x-other": "no"}
)


def client(upstream: Upstream) -> JsonApi:
    return anthropic_client("anthropic", BASE, upstream, "2026-10-21")
