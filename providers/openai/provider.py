"""The OpenAI provider, also for other servers with OpenAI's API."""

import re
from dataclasses import dataclass, replace
from typing import Final

from yarl import URL

from providers.batches.file_batches.target import FileBatchTarget
from providers.batches.files_with_results import FilesWithResults
from providers.batches.target_batches import TargetBatches
from providers.embeddings.openai_embeddings import OpenAIEmbeddings
from providers.embeddings.text_embeddings import TextEmbeddings
from providers.json_api.credential_check import models_check
from providers.json_api.model_list import ModelList
from providers.memory import Limits, MemoryBudget
from providers.observation import UNOBSERVED, Observer
from providers.openai.batch_lines import NATIVE_FILE
from providers.openai.batches import STATUS_WORDS, OpenAIBatchApi
from providers.openai.client import SCOPING_HEADERS, openai_client
from providers.openai.dialect import COUNTED_DIALECT, EMBED_PACKING
from providers.openai.files import PURPOSE_HEADER, OpenAIFileApi
from providers.openai.generate_api import GenerateApi, apis_of
from providers.openai.models import from_openai_model
from providers.openai.tokens import OpenAITokens
from providers.openai.upload_target import FILE_EXPIRY, OpenAIUploadTarget
from providers.openai_content.dialect import Dialect
from providers.own_batches.chat_answers import ChatAnswers, chat_lines
from providers.own_batches.service import OwnBatches, OwnBatchService
from providers.prompts.openai_prompts import OpenAIPrompts
from providers.provider import KeyForm, NameForms, Provider
from providers.retries import Retries
from providers.state import State
from providers.uploads.native_files import FileRecords, NativeFiles
from providers.uploads.resumable import ResumableUploads
from providers.upstream import Upstream

KIND: Final = "openai"
DEFAULT_BASE_URL: Final = "https://api.openai.com/v1"

KEY_FORMS: Final = (KeyForm(re.compile(r"sk-(?!ant-)\S+"), "an OpenAI key"),)

# In the arguments of a user's function the same members hold anything, so the value tells.
# Unverified: how the ids begin.
_SHARED_ID: Final = re.compile(r"(cntr_|container_|conv_|resp_|vs_).*", re.DOTALL)
NAMES: Final = NameForms(
    files=NATIVE_FILE,
    batches=re.compile(r"batch_[A-Za-z0-9_-]+"),
    distinctive=True,
    shared=dict.fromkeys(
        ("container", "conversation", "previous_response_id", "vector_store_ids"), _SHARED_ID
    ),
    file_members=frozenset({"file_id", "file_ids"}),
)


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """`staged_uploads` is for servers without the Uploads API.

    `dialect` has the server's rules for chat completions. `generate_api` is for single requests; a
    batch has chat completions.
    `own_batches`: the proxy runs all batches itself, and keeps the files.
    """

    base_url: URL
    staged_uploads: bool
    limits: Limits
    dialect: Dialect
    generate_api: GenerateApi = GenerateApi.AUTO
    own_batches: OwnBatches | None = None


def openai(
    name: str,
    options: OpenAIOptions,
    upstream: Upstream,
    state: State,
    memory: MemoryBudget,
    observer: Observer = UNOBSERVED,
) -> Provider:
    client = openai_client(name, options.base_url, upstream, Retries(observer))
    records = FileRecords(name, state)
    target = OpenAIUploadTarget(client, state, records, staged=options.staged_uploads)
    uploads = ResumableUploads(target, state)
    batch_api = OpenAIBatchApi(client, state, options.dialect)
    batch_target = FileBatchTarget(client, batch_api, state, memory, options.limits, observer)
    batches = TargetBatches(batch_target, state, memory, options.limits, observer)
    files = NativeFiles(client, records, OpenAIFileApi(client))
    dialect = options.dialect
    apis = apis_of(options.generate_api, dialect)
    counted = replace(COUNTED_DIALECT, schema_rule=dialect.schema_rule)
    check = models_check(client)
    provider = Provider(
        name=name,
        kind=KIND,
        names=NAMES,
        passed_headers=SCOPING_HEADERS | {PURPOSE_HEADER},
        scoping_headers=SCOPING_HEADERS,
        uploads=uploads,
        upload_check=check,
        batch_check=check,
        files=FilesWithResults(files, batches, uploads.create),
        batches=batches,
        prompts=OpenAIPrompts(client, memory, apis),
        models=ModelList(client, from_openai_model),
        tokens=OpenAITokens(client, memory, counted),
        embeddings=TextEmbeddings(OpenAIEmbeddings(client, dialect, EMBED_PACKING), memory),
        file_expiry=FILE_EXPIRY,
        key_forms=KEY_FORMS,
    )
    own, limits = options.own_batches, options.limits
    if own is None:
        return provider
    service = OwnBatchService(own, state, memory, limits, observer)
    answers = ChatAnswers(client, limits.line, STATUS_WORDS)
    return service.replaced(provider, chat_lines(client, batch_api), answers)
