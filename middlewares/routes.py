"""The table of routes: how each call of the SDK is recognised, and read into its operation."""

from typing import Final
from urllib.parse import unquote

from middlewares import operations as op
from middlewares.batch_request import new_batch
from middlewares.capabilities import BATCHES, FILES, MODELS
from middlewares.embed_request import embed
from middlewares.outcomes import StreamForm
from middlewares.paths import PREFIX, effective_method, is_below_prefix, split_prefix
from middlewares.prompt_request import count_tokens, generate, stream
from middlewares.relayed_families import family_of
from middlewares.request_keys import Call, Route
from middlewares.request_rewrite import download_file, named, paged, relayed
from middlewares.upload_request import upload, upload_elsewhere
from providers.resource_names import file_id_of_uri
from providers.resources import BatchKind, EmbedForm

UPLOAD: Final = Call("upload", upload)
_DOWNLOAD: Final = Call("download_file", download_file, alt=("media",))
_OTHER: Final = Call("other", relayed, alt=())

# Paths without their version. A name may contain raw slashes and colons.
TABLE: Final = {
    ("POST", "upload/files"): UPLOAD,
    ("PUT", "upload/files"): UPLOAD,
    ("POST", "upload/{name}"): Call("upload_elsewhere", upload_elsewhere, alt=()),
    ("GET", "files"): Call("list_files", paged(FILES, op.ListFiles)),
    ("GET", "files/{name}"): Call("get_file", named(FILES, op.GetFile)),
    ("DELETE", "files/{name}"): Call("delete_file", named(FILES, op.DeleteFile)),
    ("GET", "files/{name}:download"): _DOWNLOAD,
    ("GET", "download/files/{name}:download"): _DOWNLOAD,
    ("GET", "models"): Call("list_models", paged(MODELS, op.ListModels, usual_size=50)),
    ("GET", "models/{name}"): Call("get_model", named(MODELS, op.GetModel)),
    ("POST", "models/{name}:batchGenerateContent"): Call(
        "generate_batch", new_batch(BatchKind.GENERATE)
    ),
    ("POST", "models/{name}:asyncBatchEmbedContent"): Call(
        "embed_batch", new_batch(BatchKind.EMBED)
    ),
    ("POST", "models/{name}:generateContent"): Call("generate", generate),
    ("POST", "models/{name}:streamGenerateContent"): Call("stream", stream, alt=tuple(StreamForm)),
    ("POST", "models/{name}:countTokens"): Call("count_tokens", count_tokens),
    ("POST", "models/{name}:embedContent"): Call("embed", embed(EmbedForm.ONE)),
    ("POST", "models/{name}:batchEmbedContents"): Call("embed_many", embed(EmbedForm.MANY)),
    ("GET", "batches"): Call("list_batches", paged(BATCHES, op.ListBatches)),
    ("GET", "batches/{name}"): Call("get_batch", named(BATCHES, op.GetBatch)),
    ("DELETE", "batches/{name}"): Call("delete_batch", named(BATCHES, op.DeleteBatch)),
    ("POST", "batches/{name}:cancel"): Call("cancel_batch", named(BATCHES, op.CancelBatch)),
}


def parse_route(method: str, raw_path: str) -> Route | None:
    """The route of `raw_path`, which is still percent-encoded; None outside `/genai`."""
    if not is_below_prefix(raw_path):
        return None
    path = raw_path.removeprefix(PREFIX)
    version, service, rest = split_prefix(path)
    form, name = _split(service, rest)
    call = TABLE.get((effective_method(method), form))
    if call is None or (not name and "{name}" in form) or (not service and family_of(rest)):
        return Route(_OTHER, path.lstrip("/"), version)
    form = form.removeprefix(f"{service}/")
    collection, named, _ = form.partition("/{name}")
    if collection == "files":
        name = file_id_of_uri(f"files/{name}") or name
    target = "/".join(part for part in (service, version, form.replace("{name}", name)) if part)
    if not named:
        return Route(call, target, version, name=name)
    return Route(call, target, version, collection, unquote(name))


def _split(service: str, rest: str) -> tuple[str, str]:
    """The form of a path as in the table, and the name in it, still percent-encoded.

    A colon without a known verb after it belongs to the name.
    """
    collection, slash, name = rest.partition("/")
    if service == "upload" and collection not in ("", "files"):
        return "upload/{name}", rest
    form = f"{service}/{collection}" if service else collection
    if not name:
        return f"{form}{slash}", ""
    stem, colon, verb = name.rpartition(":")
    with_verb = f"{form}/{{name}}:{verb}"
    known = colon and any(with_verb == form_of_row for _, form_of_row in TABLE)
    return (with_verb, stem) if known else (f"{form}/{{name}}", name)


def parse_upload_url(method: str, raw_path: str) -> Route | None:
    """The route of a request on an upload URL. What precedes the last `/upload/` is ignored.

    The Java SDK appends the path of the upload URL to the path of its base URL, and an ingress may
    remove a part of the result, for example `/genai` from `/team/genai/upload/v1beta/files`.
    """
    _, found, tail = raw_path.rpartition("/upload/")
    below_our_prefix = f"{PREFIX}/upload/{tail}" if found else ""
    routes = (parse_route(method, path) for path in (raw_path, below_our_prefix))
    return next((route for route in routes if route and route.call is UPLOAD), None)
