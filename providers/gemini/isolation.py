"""Tenant isolation for Gemini: its uploads and its relay."""

from dataclasses import replace

from providers.credential import Caller
from providers.errors import invalid_argument, unimplemented
from providers.gemini.isolated_relay import IsolatedRelay
from providers.gemini.owned_resources import uploaded_file
from providers.gemini.redacted_relay import RedactedRelay
from providers.json_api.json_text import parse_clients_json, render_json
from providers.memory import MemoryBudget
from providers.provider import Provider
from providers.state import State
from providers.tenancy.isolation import IsolatedUploads
from providers.tenancy.ownership import Ownership, owned_native_file
from providers.tenancy.references import References
from providers.upload import StartedUpload, UploadStart


def isolate_tenants(
    provider: Provider, state: State, memory: MemoryBudget, inline_limit: int
) -> Provider:
    """`inline_limit` in bytes bounds the bodies that are checked."""
    ownership = Ownership(provider.name, state)
    references = References(provider.names, owned_native_file)
    relay = provider.relay and IsolatedRelay(
        provider.name,
        RedactedRelay(provider.relay),
        ownership,
        references,
        memory,
        inline_limit,
    )
    uploads = GoogleNamedUploads(provider.uploads, ownership, uploaded_file)
    return replace(provider, uploads=uploads, relay=relay, keeps_state=True)


class GoogleNamedUploads(IsolatedUploads):
    """Uploads whose files Google names. A chosen name could have been another tenant's before."""

    async def start(self, caller: Caller, start: UploadStart) -> StartedUpload:
        if start.resource != "files":
            raise unimplemented("this path is not served where tenants share the proxy's own key")
        return await super().start(caller, replace(start, document=_without_name(start.document)))


def _without_name(document: bytes) -> bytes:
    """The body of a start, rendered as checked. Raises INVALID_ARGUMENT for a chosen name."""
    if not document.strip():
        return document
    parsed = parse_clients_json(document)
    file = parsed.get("file") if isinstance(parsed, dict) else None
    if isinstance(file, dict) and file.get("name"):
        raise invalid_argument(
            "a name cannot be chosen where tenants share the proxy's own key", path="file.name"
        )
    return render_json(parsed)
