"""OpenAI's API over an upstream with scripted answers."""

from yarl import URL

from providers.credential import Caller, Credential
from providers.json_api.client import JsonApi
from providers.openai.client import openai_client
from providers.upstream import Upstream

BASE = URL("https://api.openai.test/v1")
CALLER = Caller(Credential("sk-secret"), "tenant", {"openai-project": "proj", "x-other": "no"})


def client(upstream: Upstream) -> JsonApi:
    return openai_client("openai", BASE, upstream)
