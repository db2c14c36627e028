"""The interface between providers and the rest of the proxy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from yarl import URL

from providers.body import Body
from providers.credential import Caller, Credential
from providers.credential_proof import CredentialCheck
from providers.resources import (
    AnswerStream,
    Batch,
    Counted,
    Download,
    Embedded,
    EmbedRequest,
    File,
    Generated,
    Model,
    NewBatch,
    Page,
    Prompt,
    ResultForm,
)
from providers.upload import Chunk, StartedUpload, UploadProgress, UploadSession, UploadStart
from providers.upstream import Reply


class Uploads(Protocol):
    async def start(self, caller: Caller, start: UploadStart) -> StartedUpload:
        """Begin a resumable upload."""

    async def send(self, session: UploadSession, chunk: Chunk) -> UploadProgress:
        """Upload one chunk; ACTIVE only after the provider has all of it."""

    async def query(self, session: UploadSession) -> UploadProgress: ...

    async def cancel(self, session: UploadSession) -> UploadProgress: ...


class Files(Protocol):
    async def create(self, caller: Caller, session_id: str, start: UploadStart, body: Body) -> File:
        """Upload a file that arrives in one request (the raw and multipart protocols)."""

    async def get(self, caller: Caller, file_id: str) -> File: ...

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[File]: ...

    async def delete(self, caller: Caller, file_id: str) -> None: ...

    async def download(
        self, caller: Caller, file_id: str, form: ResultForm = ResultForm.GEMINI
    ) -> Download:
        """`form` only matters for the file of a batch's results."""


class Batches(Protocol):
    async def create(self, caller: Caller, batch: NewBatch) -> Batch: ...

    async def get(self, caller: Caller, batch_id: str) -> Batch:
        """With its results if it has ended."""

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        """Never with results."""

    async def cancel(self, caller: Caller, batch_id: str) -> None: ...

    async def delete(self, caller: Caller, batch_id: str) -> None: ...


class Prompts(Protocol):
    async def generate(self, caller: Caller, prompt: Prompt) -> Generated:
        """The model's whole answer to a single request."""

    async def stream(self, caller: Caller, prompt: Prompt) -> AnswerStream:
        """The same answer while it is written. Returns when the provider has begun to answer."""


class Models(Protocol):
    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Model]: ...

    async def get(self, caller: Caller, model_id: str) -> Model:
        """Raises NOT_FOUND, as `unknown_model` makes it."""


class Tokens(Protocol):
    async def count(self, caller: Caller, prompt: Prompt) -> Counted:
        """The provider's own count of a prompt's tokens; never an estimate."""


class Embeddings(Protocol):
    async def embed(self, caller: Caller, request: EmbedRequest) -> Embedded:
        """The embeddings of all contents, or an error."""


@dataclass(frozen=True, slots=True)
class RelayedRequest:
    """A request to relay unchanged; `target` is its path and query, without our prefix."""

    method: str
    target: URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: Body | None


class Relay(Protocol):
    async def relay(self, caller: Caller, request: RelayedRequest) -> Reply: ...


@dataclass(frozen=True, slots=True)
class FileUris:
    """The URIs of files at the provider. `host` finds its host, or one like it, in lower case.

    `form` matches a URI exactly as the provider writes it; its first group is the file's id.
    """

    host: re.Pattern[str]
    form: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class NameForms:
    """How this kind's native ids look, to decide which provider a name belongs to.

    If `distinctive`, an id that `files` or `batches` matches can only be of this kind.
    `letters` are the kind letters of file names that the proxy makes for this kind only, each with
    the form of the native id behind it.
    `shared` are members of a request that name something of the account other than a file, each
    with the form of the values that do so. `file_members` are those that name a file by its id.
    """

    files: re.Pattern[str]
    batches: re.Pattern[str]
    distinctive: bool
    letters: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    shared: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    file_members: frozenset[str] = frozenset()
    file_uris: FileUris | None = None

    def has_letter(self, letter: str, native: str) -> bool:
        form = self.letters.get(letter)
        return form is not None and form.fullmatch(native) is not None


@dataclass(frozen=True, slots=True)
class KeyForm:
    """How a kind of key looks. `what` names it with its article, as in "an OpenAI key"."""

    form: re.Pattern[str]
    what: str


@dataclass(frozen=True, slots=True)
class Provider:
    """One configured upstream of some kind. A capability that it lacks is None.

    A provider with `relay` speaks Gemini's protocol; what its other capabilities do not cover is
    relayed unchanged.
    `passed_headers` are the inbound headers, in lower case, that its operations read;
    `scoping_headers` are those of them that separate tenants.
    `upload_check` and `batch_check` ask before the first object of an upload or a batch is stored.
    `own_credential` is used in place of the caller's. It is None if the caller's is used, and empty
    if the provider finds its credentials itself.
    `file_expiry`: the seconds after which a client may let a file expire; None if it cannot.
    `key_forms` are the forms of keys that can only be for this kind.
    `keeps_state`: its calls need the state store; else only one with an idempotency key does.
    `secret_key_travels`: the caller's key contains a secret that is only meant to sign, and that
    must not cross a network in plaintext.
    """

    name: str
    kind: str
    names: NameForms
    passed_headers: frozenset[str]
    scoping_headers: frozenset[str]
    uploads: Uploads
    upload_check: CredentialCheck
    batch_check: CredentialCheck
    files: Files | None = None
    batches: Batches | None = None
    prompts: Prompts | None = None
    models: Models | None = None
    tokens: Tokens | None = None
    embeddings: Embeddings | None = None
    relay: Relay | None = None
    own_credential: Credential | None = None
    file_expiry: range | None = None
    key_forms: Sequence[KeyForm] = ()
    secret_key_travels: bool = False
    keeps_state: bool = True
