"""Renders resources in Gemini's shape, as every SDK reads it (sdk-wire.md section 3)."""

from datetime import UTC, datetime
from typing import Any, Final

from providers.gemini_content.warnings import explain
from providers.json_api.answer_shape import present
from providers.resources import Batch, BatchKind, File, InlineResults, Model, ResultFile
from providers.status import item_error

# Google's schema has one name for inline results of both kinds. For embeddings the Java SDK reads
# only the second name. With both, the Python SDK shows failed items twice, the Java SDK all items.
_INLINE: Final = "inlinedResponses"
_SDKS_EMBEDDINGS: Final = "inlinedEmbedContentResponses"


def render_file(file: File, address: str) -> dict[str, Any]:
    """`sizeBytes` is a string, since Go accepts only that. Unknown fields are left out."""
    uri = f"{address}/v1beta/files/{file.id}"
    document = {
        "name": f"files/{file.id}",
        "displayName": file.display_name,
        "mimeType": file.mime_type,
        "sizeBytes": None if file.size is None else str(file.size),
        "createTime": render_time(file.create_time),
        "expirationTime": render_time(file.expiration_time),
        "sha256Hash": file.sha256,
        "uri": uri,
        "downloadUri": f"{uri}:download?alt=media" if file.downloadable else None,
        "state": file.state,
        "source": file.source,
        "error": {"code": 13, "message": file.error} if file.error else None,
    }
    return {key: value for key, value in document.items() if value is not None}


def render_model(model: Model) -> dict[str, Any]:
    """`supportedGenerationMethods` are the SDK's `supported_actions`."""
    return present(
        {
            "name": f"models/{model.id}",
            "displayName": model.display_name,
            "description": model.description,
            "inputTokenLimit": model.input_token_limit,
            "outputTokenLimit": model.output_token_limit,
            "supportedGenerationMethods": model.actions,
            "temperature": model.temperature,
            "thinking": model.thinking,
        }
    )


def render_batch(batch: Batch, output: dict[str, Any] | None) -> dict[str, Any]:
    """The shape of an operation: SDKs read only `metadata`, REST users also read `response`.

    An operation has an error or a response, never both; if it has an error, its results are only in
    `metadata.output`.
    """
    terminal = batch.state.terminal
    document: dict[str, Any] = {
        "name": f"batches/{batch.id}",
        "metadata": _metadata(batch, output),
        "done": terminal,
    }
    if terminal and batch.failure is not None:
        document["error"] = item_error(batch.failure.status, batch.failure.message)
    elif output is not None:
        document["response"] = {"@type": _type(batch.kind, "Output"), **_with_google_names(output)}
    return document


def _metadata(batch: Batch, output: dict[str, Any] | None) -> dict[str, Any]:
    counts = batch.counts
    document = {
        "@type": _type(batch.kind),
        "name": f"batches/{batch.id}",
        "model": f"models/{batch.model}" if batch.model else None,
        "displayName": batch.display_name,
        "state": batch.state,
        "nativeStatus": batch.native_status,
        "createTime": render_time(batch.create_time),
        "startTime": render_time(batch.start_time),
        "endTime": render_time(batch.end_time),
        "updateTime": render_time(batch.end_time or batch.start_time or batch.create_time),
        # Gemini always has it, and typed clients such as gemini-rust need it. 0: not counted yet.
        "batchStats": {"requestCount": "0"}
        if counts is None
        else {
            "requestCount": str(counts.total),
            "successfulRequestCount": str(counts.succeeded),
            "failedRequestCount": str(counts.failed),
            "pendingRequestCount": str(counts.pending),
        },
        "ferryWarnings": explain(batch.warnings) or None,
        "output": output,
    }
    return {key: value for key, value in document.items() if value is not None}


def render_output(batch: Batch, items: object) -> dict[str, Any] | None:
    """The `output` union as the SDKs read it; `items` are the inline results."""
    match batch.output:
        case None:
            return None
        case ResultFile(file_id):
            return {"responsesFile": f"files/{file_id}"}
        case InlineResults():
            embeds = batch.kind is BatchKind.EMBED
            return {(_SDKS_EMBEDDINGS if embeds else _INLINE): {"inlinedResponses": items}}


def _with_google_names(output: dict[str, Any]) -> dict[str, Any]:
    return {
        (_INLINE if name == _SDKS_EMBEDDINGS else name): value for name, value in output.items()
    }


def _type(kind: BatchKind, suffix: str = "") -> str:
    return f"type.googleapis.com/google.ai.generativelanguage.v1main.{kind}{suffix}"


def render_time(time: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
