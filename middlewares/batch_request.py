"""Reads the body of a batch creation into a `NewBatch`, field by field (gemini.md section 6)."""

import hashlib
from typing import Any, Final

import orjson

from middlewares.inbound_body import parse_json_object
from providers.errors import FerryError, invalid_argument
from providers.json_api.json_text import render_compact
from providers.json_api.unknown_members import unknown_member
from providers.resource_names import file_id_of_uri
from providers.resources import (
    BatchKind,
    CheckFileName,
    InlineRequest,
    NewBatch,
    any_file_name,
)

_CAMEL: Final = {
    "display_name": "displayName",
    "input_config": "inputConfig",
    "file_name": "fileName",
    "webhook_config": "webhookConfig",
}
_NOT_SUPPORTED: Final = "this provider does not support this field; leave it out"


def parse_new_batch(
    data: bytes,
    model: str,
    kind: BatchKind,
    idempotency_key: str | None,
    check_file_name: CheckFileName,
) -> NewBatch:
    """Refuses every field that cannot be translated, with its JSON path."""
    document = parse_json_object(data)
    batch = _object(_known_fields(document, "", {"batch"}).get("batch"), "batch")
    fields = _known_fields(
        batch, "batch", {"displayName", "inputConfig", "model", "name", "webhookConfig", "priority"}
    )
    for name in ("webhookConfig", "name"):
        if fields.get(name):
            raise invalid_argument(_NOT_SUPPORTED, path=f"batch.{_client_spelling(batch, name)}")
    if fields.get("priority") not in (None, 0, "0", ""):
        raise invalid_argument(_NOT_SUPPORTED, path="batch.priority")
    model = _model(model, fields.get("model"))
    return NewBatch(
        model=model,
        kind=kind,
        source=_source(
            fields.get("inputConfig"), f"batch.{_client_spelling(batch, 'inputConfig')}"
        ),
        display_name=_optional_text(
            fields.get("displayName"), f"batch.{_client_spelling(batch, 'displayName')}"
        ),
        idempotency_key=idempotency_key,
        fingerprint=hashlib.sha256(b"\0".join([kind.encode(), model.encode(), data])).hexdigest(),
        check_file_name=check_file_name,
    )


def input_file_id(data: bytes) -> str | None:
    """The id of the input file, or None if the creation is invalid or has no input file."""
    try:
        batch = parse_new_batch(data, "", BatchKind.GENERATE, None, any_file_name)
    except FerryError:
        return None
    return batch.source if isinstance(batch.source, str) else None


def _model(called: str, named: object) -> str:
    model = called.removeprefix("models/")
    if named not in (None, "", called, model, f"models/{model}"):
        raise invalid_argument("differs from the model in the URL", path="batch.model")
    return model


def _source(value: object, path: str) -> list[InlineRequest] | str:
    config = _object(value, path)
    fields = _known_fields(config, path, {"fileName", "requests"})
    file_name, requests = fields.get("fileName"), fields.get("requests")
    if (file_name is None) == (requests is None):
        raise invalid_argument("give either fileName or requests", path=path)
    if requests is None:
        return _file_id(file_name, f"{path}.{_client_spelling(config, 'fileName')}")
    path = f"{path}.requests"
    listed = _known_fields(_object(requests, path), path, {"requests"}).get("requests")
    if not isinstance(listed, list) or not listed:
        raise invalid_argument("must be a list of at least one request", path=f"{path}.requests")
    inline = []
    for index, item in enumerate(listed):
        inline.append(_inline(item, f"{path}.requests[{index}]"))
        listed[index] = None  # frees the memory of the parsed request
    return inline


def _file_id(value: object, path: str) -> str:
    found = file_id_of_uri(value) if isinstance(value, str) else None
    if found is None:
        raise invalid_argument("not the name of a file (files/...)", path=path)
    return found


def _inline(value: object, path: str) -> InlineRequest:
    item = _object(value, path)
    if "key" in item:
        raise invalid_argument("an inline request has no key; use metadata", path=f"{path}.key")
    fields = _known_fields(item, path, {"request", "metadata"})
    if fields.get("request") is None:
        raise invalid_argument("is missing", path=f"{path}.request")
    return InlineRequest(
        _rendered(fields["request"], f"{path}.request"),
        _metadata(fields.get("metadata"), f"{path}.metadata"),
        f"{path}.request",
    )


def _rendered(request: object, path: str) -> bytes:
    try:
        return render_compact(request)
    except orjson.JSONEncodeError:  # parsed JSON can fail for this reason only
        raise invalid_argument("is nested too deeply", path=path) from None


def _metadata(value: object, path: str) -> bytes:
    if value is None:
        return b"null"
    metadata = _object(value, path)
    for key, item in metadata.items():
        # SDKs reject the whole response if a value is not a string (sdk-wire.md section 3).
        if not isinstance(item, str):
            raise invalid_argument("metadata values must be strings", path=f"{path}.{key}")
    return render_compact(metadata)


def _object(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_argument("must be a JSON object", path=path)
    return value


def _known_fields(value: dict[str, Any], path: str, known: set[str]) -> dict[str, Any]:
    """The fields in camelCase. Refuses an unknown field, or one that is given twice."""
    fields: dict[str, Any] = {}
    for key, item in value.items():
        name = _CAMEL.get(key, key)
        where = f"{path}.{key}" if path else key
        if name not in known:
            raise unknown_member(key, known, where)
        if name in fields:
            raise invalid_argument("given in both spellings", path=where)
        fields[name] = item
    return fields


def _client_spelling(value: dict[str, Any], name: str) -> str:
    """The field's name as the client spelled it."""
    return next((key for key in value if _CAMEL.get(key, key) == name), name)


def _optional_text(value: object, path: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid_argument("not a string", path=path)
    return value or None
