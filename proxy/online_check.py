"""`genai-ferry check --online`: tries what the settings name, each part within a deadline.

It costs nothing and leaves nothing behind: it lists, and writes one object that it deletes.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from yarl import URL

from providers.body import in_memory
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.provider import Provider, RelayedRequest
from providers.state import State, read
from providers.stored_objects import STORE_CHECK
from providers.upstream import OutboundRequest, Upstream
from proxy.composition import dependencies, lending_provider
from proxy.kinds import KINDS, Dependencies
from proxy.provider_settings import ProviderSettings
from proxy.settings import Settings
from proxy.settings_problems import variable
from proxy.threads import in_thread

DEADLINE_SECONDS: Final = 10.0

_PROBE: Final = b"genai-ferry check --online"


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    RISK = "risk"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Finding:
    outcome: Outcome
    text: str

    def __str__(self) -> str:
        return f"{self.outcome}: {self.text}."


class _Failed(Exception):
    """What was tried did not work; the text says how."""


async def try_online(settings: Settings) -> list[Finding]:
    """One finding for each part, in the order of the settings."""
    deps = dependencies(settings)
    try:
        return list(await asyncio.gather(*_attempts(deps)))
    finally:
        await deps.client.close()
        await in_thread(deps.telemetry.tracer.close)


def _attempts(deps: Dependencies) -> Iterator[Awaitable[Finding]]:
    settings = deps.settings
    yield _state_attempt(deps)
    if settings.public_url is not None:
        yield _not_tried(f"{variable('public_url')}: only a client can tell whether it gets here")
    for name, provider in settings.providers.items():
        unreachable = Outcome.FAILED if _is_in_use(name, settings) else Outcome.RISK
        yield from _address_attempts(name, provider, deps.client, unreachable)
        yield _credential_attempt(name, provider, deps)
    yield _not_tried("uploads, batches and generation, which cost money or leave something behind")


def _is_in_use(name: str, settings: Settings) -> bool:
    """Every kind has a provider; one that no setting mentions may be unreachable on purpose."""
    provider = settings.providers[name]
    mentioned = provider.model_fields_set - {"kind"} or name not in KINDS
    return bool(mentioned) or name == settings.default_provider


async def _attempt(
    setting: str, work: Callable[[], Awaitable[str]], failed: Outcome = Outcome.FAILED
) -> Finding:
    """`work` returns what worked, or raises _Failed or FerryError."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return Finding(Outcome.OK, f"{setting}: {await work()}")
    except _Failed as error:
        reason = str(error)
    except FerryError as error:
        reason = _reason(error)
    except TimeoutError:
        reason = f"no answer within {DEADLINE_SECONDS:g} s"
    return Finding(failed, f"{setting}: {reason}")


async def _not_tried(text: str) -> Finding:
    return Finding(Outcome.NOT_TRIED, text)


def _reason(error: FerryError) -> str:
    """A provider's own message is not shown: it may quote a part of the key."""
    if error.provider is None or error.upstream_status is None:
        return error.message
    reason = f" ({error.reason})" if error.reason else ""
    return f"{error.provider} refused it with status {error.upstream_status}{reason}"


# --- the state store -------------------------------------------------------------------------


async def _state_attempt(deps: Dependencies) -> Finding:
    setting, settings = variable("state_url"), deps.settings
    if settings.state_url.startswith("file:") and not settings.state_directory.is_dir():
        # Made now, it would belong to the user of this command, not to that of the proxy.
        return await _not_tried(f"{setting}: the directory is made at the first start")

    async def work() -> str:
        await _use(deps.state)
        return "an object was written, read, listed and deleted"

    return await _attempt(setting, work)


async def _use(state: State) -> None:
    name = STORE_CHECK.name(secrets.token_hex(16))
    step = "written"
    try:
        await state.create(name, in_memory(_PROBE))
        step = "read"
        if await read(state, name) != _PROBE:
            raise _Failed("an object that was written is not there, or has other content")
        step = "listed"
        if [info.name async for info in state.list(name)] != [name]:
            raise _Failed("an object that was written is not listed")
        step = "deleted"
        await state.delete(name)
        if await state.head(name) is not None:
            raise _Failed("an object that was deleted is still there")
    except FerryError as error:
        raise _Failed(f"an object could not be {step}: {error.message}") from None


# --- providers -------------------------------------------------------------------------------


def _address_attempts(
    name: str, provider: ProviderSettings, upstream: Upstream, unreachable: Outcome
) -> Iterator[Awaitable[Finding]]:
    urls = {field: value for field, value in provider if isinstance(value, URL)}
    public_url = KINDS[provider.kind or name].public_url
    if provider.base_url is None and public_url is not None:
        urls["base_url"] = URL(public_url)
    for field, url in urls.items():
        yield _address_attempt(variable("providers", name, field), url, upstream, unreachable)
    if not urls:
        setting = variable("providers", name, "base_url")
        yield _not_tried(f"{setting} is not set: the address depends on each request")


async def _address_attempt(
    setting: str, url: URL, upstream: Upstream, unreachable: Outcome
) -> Finding:
    """Any answer will do, since a call without a key is refused."""

    async def work() -> str:
        async with await upstream.send(OutboundRequest("GET", url)) as reply:
            answer = f"{url} answered with status {reply.status}"
            if reply.status >= 500:
                raise _Failed(answer)
            return answer

    return await _attempt(setting, work, unreachable)


async def _credential_attempt(name: str, settings: ProviderSettings, deps: Dependencies) -> Finding:
    credentials = variable("providers", name, "credentials")
    if not settings.ambient:
        return await _not_tried(f"{credentials} is caller: each request has its own key")
    takes_key = KINDS[settings.kind or name].takes_api_key
    setting = variable("providers", name, "api_key") if takes_key else credentials
    provider = lending_provider(name, settings, deps)

    async def work() -> str:
        await _list_everything(provider)
        return f"{name} accepted it, and listed what it has"

    return await _attempt(setting, work)


async def _list_everything(provider: Provider) -> None:
    caller = Caller(provider.own_credential or Credential(), "check")
    if provider.files is not None:
        await provider.files.list(caller, 1, None)
    if provider.batches is not None:
        await provider.batches.list(caller, 1, None)
    if provider.relay is not None:
        request = RelayedRequest("GET", URL("/v1beta/files?pageSize=1"), {}, None)
        async with await provider.relay.relay(caller, request) as reply:
            if reply.status != 200:
                raise _Failed(f"{provider.name} refused it with status {reply.status}")
