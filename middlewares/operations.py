"""Operations: each is one call of the SDK with typed arguments, and carries itself out."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Protocol

from middlewares.capabilities import BATCHES, EMBEDDINGS, FILES, MODELS, PROMPTS, RELAY, TOKENS
from middlewares.outcomes import (
    BatchCreated,
    EmbeddingsMade,
    FileCreated,
    Listed,
    Outcome,
    Started,
    Streamed,
    StreamForm,
)
from middlewares.sealing import UploadUrls
from providers.body import Body
from providers.credential import Caller
from providers.json_api.path_names import check_path_name
from providers.provider import Provider, RelayedRequest
from providers.resources import (
    Batch,
    Counted,
    Download,
    EmbedRequest,
    File,
    Generated,
    Model,
    NewBatch,
    Prompt,
    ResultForm,
)
from providers.upload import Chunk, UploadProgress, UploadSession, UploadStart
from providers.uploads.upload_target import new_session_id
from providers.upstream import Reply


class Timing(Enum):
    """Which deadline an operation has (contract.md section 8).

    SHORT: one for the whole call. MOVING: the upstream's body must make progress. ANSWERED: the
    provider may take long to answer, as long as the client waits. SENDING: as ANSWERED, but the
    client's time begins when its body has been sent. RELAYED: each call is the upstream's own, of
    any kind.
    """

    SHORT = auto()
    MOVING = auto()
    ANSWERED = auto()
    SENDING = auto()
    RELAYED = auto()


class Operation(Protocol):
    @property
    def timing(self) -> Timing: ...

    async def carry_out(self, provider: Provider, caller: Caller, /) -> Outcome:
        """Raises UNIMPLEMENTED if the provider lacks the capability that this needs."""


# --- uploads -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartUpload:
    """`address` is the proxy's own, at which clients reach the upload URL."""

    timing: ClassVar = Timing.SHORT
    urls: UploadUrls
    address: str
    start: UploadStart

    async def carry_out(self, provider: Provider, caller: Caller) -> Started:
        started = await provider.uploads.start(caller, self.start)
        url = await self.urls.issue(self.address, provider, caller, started)
        return Started(url, started.granularity, started.headers)


@dataclass(frozen=True, slots=True)
class SendChunk:
    timing: ClassVar = Timing.SENDING
    session: UploadSession
    chunk: Chunk

    async def carry_out(self, provider: Provider, _: Caller) -> UploadProgress:
        return await provider.uploads.send(self.session, self.chunk)


@dataclass(frozen=True, slots=True)
class QueryUpload:
    timing: ClassVar = Timing.SHORT
    session: UploadSession

    async def carry_out(self, provider: Provider, _: Caller) -> UploadProgress:
        return await provider.uploads.query(self.session)


@dataclass(frozen=True, slots=True)
class CancelUpload:
    timing: ClassVar = Timing.SHORT
    session: UploadSession

    async def carry_out(self, provider: Provider, _: Caller) -> UploadProgress:
        return await provider.uploads.cancel(self.session)


# --- files ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreateFile:
    """A whole file in one request: the raw and multipart protocols."""

    timing: ClassVar = Timing.SENDING
    start: UploadStart
    body: Body

    async def carry_out(self, provider: Provider, caller: Caller) -> FileCreated:
        files = FILES.required(provider)
        session_id = new_session_id(provider.name, caller.tenant)
        return FileCreated(await files.create(caller, session_id, self.start, self.body))


@dataclass(frozen=True, slots=True)
class ListFiles:
    timing: ClassVar = Timing.SHORT
    page_size: int
    page_token: str | None

    async def carry_out(self, provider: Provider, caller: Caller) -> Listed:
        files = FILES.required(provider)
        return Listed("files", await files.list(caller, self.page_size, self.page_token))


@dataclass(frozen=True, slots=True)
class GetFile:
    timing: ClassVar = Timing.SHORT
    id: str

    async def carry_out(self, provider: Provider, caller: Caller) -> File:
        return await FILES.required(provider).get(caller, self.id)


@dataclass(frozen=True, slots=True)
class DeleteFile:
    timing: ClassVar = Timing.SHORT
    id: str

    async def carry_out(self, provider: Provider, caller: Caller) -> None:
        await FILES.required(provider).delete(caller, self.id)


@dataclass(frozen=True, slots=True)
class DownloadFile:
    timing: ClassVar = Timing.MOVING
    id: str
    form: ResultForm

    async def carry_out(self, provider: Provider, caller: Caller) -> Download:
        return await FILES.required(provider).download(caller, self.id, self.form)


# --- batches -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreateBatch:
    timing: ClassVar = Timing.ANSWERED
    batch: NewBatch

    async def carry_out(self, provider: Provider, caller: Caller) -> BatchCreated:
        return BatchCreated(await BATCHES.required(provider).create(caller, self.batch))


@dataclass(frozen=True, slots=True)
class ListBatches:
    timing: ClassVar = Timing.SHORT
    page_size: int
    page_token: str | None

    async def carry_out(self, provider: Provider, caller: Caller) -> Listed:
        batches = BATCHES.required(provider)
        return Listed("operations", await batches.list(caller, self.page_size, self.page_token))


@dataclass(frozen=True, slots=True)
class GetBatch:
    timing: ClassVar = Timing.SHORT
    id: str

    async def carry_out(self, provider: Provider, caller: Caller) -> Batch:
        return await BATCHES.required(provider).get(caller, self.id)


@dataclass(frozen=True, slots=True)
class CancelBatch:
    timing: ClassVar = Timing.SHORT
    id: str

    async def carry_out(self, provider: Provider, caller: Caller) -> None:
        await BATCHES.required(provider).cancel(caller, self.id)


@dataclass(frozen=True, slots=True)
class DeleteBatch:
    timing: ClassVar = Timing.SHORT
    id: str

    async def carry_out(self, provider: Provider, caller: Caller) -> None:
        await BATCHES.required(provider).delete(caller, self.id)


# --- models --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListModels:
    timing: ClassVar = Timing.SHORT
    page_size: int
    page_token: str | None

    async def carry_out(self, provider: Provider, caller: Caller) -> Listed:
        models = MODELS.required(provider)
        return Listed("models", await models.list(caller, self.page_size, self.page_token))


@dataclass(frozen=True, slots=True)
class GetModel:
    timing: ClassVar = Timing.SHORT
    id: str

    async def carry_out(self, provider: Provider, caller: Caller) -> Model:
        check_path_name(self.id, None, "model")
        return await MODELS.required(provider).get(caller, self.id)


# --- prompts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Generate:
    timing: ClassVar = Timing.ANSWERED
    prompt: Prompt

    async def carry_out(self, provider: Provider, caller: Caller) -> Generated:
        return await PROMPTS.required(provider).generate(caller, self.prompt)


@dataclass(frozen=True, slots=True)
class Stream:
    timing: ClassVar = Timing.ANSWERED
    prompt: Prompt
    form: StreamForm

    async def carry_out(self, provider: Provider, caller: Caller) -> Streamed:
        return Streamed(await PROMPTS.required(provider).stream(caller, self.prompt), self.form)


@dataclass(frozen=True, slots=True)
class CountTokens:
    timing: ClassVar = Timing.ANSWERED
    prompt: Prompt

    async def carry_out(self, provider: Provider, caller: Caller) -> Counted:
        return await TOKENS.required(provider).count(caller, self.prompt)


# --- embeddings ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Embed:
    timing: ClassVar = Timing.ANSWERED
    request: EmbedRequest

    async def carry_out(self, provider: Provider, caller: Caller) -> EmbeddingsMade:
        embedded = await EMBEDDINGS.required(provider).embed(caller, self.request)
        return EmbeddingsMade(self.request.form, embedded)


# --- everything else -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Relayed:
    """A request that a provider which speaks Gemini's protocol gets unchanged."""

    request: RelayedRequest
    timing: Timing = Timing.RELAYED

    async def carry_out(self, provider: Provider, caller: Caller) -> Reply:
        return await RELAY.required(provider).relay(caller, self.request)
