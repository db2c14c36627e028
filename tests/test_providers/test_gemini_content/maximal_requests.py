"""Valid requests in which every object of the schema occurs, for tests that visit them all."""

from collections.abc import Iterator
from typing import Any, Final

_SCHEMA: Final[dict[str, Any]] = {
    "type": "OBJECT",
    "title": "Answer",
    "nullable": True,
    "minProperties": "1",
    "maxProperties": "9",
    "required": ["snake_case"],
    "propertyOrdering": ["snake_case", "maxItems"],
    "default": {"free_form": 1},
    "example": {"free_form": 2},
    "defs": {"odd name": {"type": "STRING"}},
    "ref": "#/defs/odd name",
    "additionalProperties": {"type": "STRING", "minLength": "1", "maxLength": "9", "pattern": "."},
    "properties": {
        # The client's own names, one of them spelt like a field of the schema.
        "snake_case": {
            "type": "ARRAY",
            "minItems": "1",
            "maxItems": "3",
            "items": {"type": "STRING"},
        },
        "maxItems": {"anyOf": [{"type": "INTEGER", "minimum": 1, "maximum": 2}, {"type": "NULL"}]},
        "odd name": {"type": "STRING", "format": "enum", "enum": ["a"], "description": "d"},
    },
}

GENERATE: Final[dict[str, Any]] = {
    "model": "models/m",
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "Hello", "partMetadata": {"free_form": 1}, "thoughtSignature": "AAAA"},
                {"inlineData": {"mimeType": "image/png", "data": "AAAA", "displayName": "n"}},
                {
                    "fileData": {"mimeType": "application/pdf", "fileUri": "u", "displayName": "n"},
                    "videoMetadata": {"start_offset": "1s"},
                    "speechMetadata": {"free_form": 1},
                    "documentMetadata": {"free_form": 1},
                    "spreadsheetMetadata": {"free_form": 1},
                    "audioMetadata": {"free_form": 1},
                    "mediaProcessing": "ANY",
                    "mediaResolution": {"level": "L"},
                },
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "Hm", "thought": True},
                {
                    "functionCall": {
                        "id": "1",
                        "name": "f",
                        "args": {"free_form": {"a_b": None}},
                        "partialArgs": [{"free_form": 1}],
                        "willContinue": True,
                    }
                },
                {"executableCode": {"free_form": 1}},
                {"codeExecutionResult": {"free_form": 1}},
                {"toolCall": {"free_form": 1}},
                {"toolResponse": {"free_form": 1}},
                {"audioTranscription": {"free_form": 1}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "1",
                        "name": "f",
                        "response": {"free_form": []},
                        "parts": [
                            {
                                "inlineData": {
                                    "mimeType": "image/png",
                                    "data": "AAEC",
                                    "displayName": "d",
                                },
                                "fileData": {
                                    "mimeType": "image/png",
                                    "fileUri": "files/a",
                                    "displayName": "d",
                                },
                            }
                        ],
                        "willContinue": True,
                        "scheduling": "SILENT",
                    }
                }
            ],
        },
    ],
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "description": "d",
                    "parameters": _SCHEMA,
                    "response": _SCHEMA,
                    "behavior": "BLOCKING",
                },
                {
                    "name": "g",
                    "parametersJsonSchema": {"free_form": {"minItems": 1}},
                    "responseJsonSchema": {"free_form": 1},
                },
            ]
        },
        {
            "codeExecution": {"free_form": 1},
            "enterpriseWebSearch": {"free_form": 1},
            "exaAiSearch": {"free_form": 1},
            "parallelAiSearch": {"free_form": 1},
            "computerUse": {"free_form": 1},
            "fileSearch": {"free_form": 1},
            "googleMaps": {"free_form": 1},
            "googleSearch": {"free_form": 1},
            "googleSearchRetrieval": {"free_form": 1},
            "mcpServers": [{"free_form": 1}],
            "retrieval": {"free_form": 1},
            "urlContext": {"free_form": 1},
        },
    ],
    "toolConfig": {
        "functionCallingConfig": {
            "mode": "ANY",
            "allowedFunctionNames": ["f"],
            "streamFunctionCallArguments": True,
        },
        "retrievalConfig": {"free_form": 1},
        "includeServerSideToolInvocations": True,
    },
    "safetySettings": [{"category": "C", "threshold": "BLOCK_NONE", "method": "SEVERITY"}],
    "generationConfig": {
        "temperature": 0,
        "topP": 0.5,
        "topK": 3.0,
        "candidateCount": 2,
        "maxOutputTokens": 9,
        "stopSequences": ["x"],
        "seed": 1,
        "presencePenalty": 0.5,
        "frequencyPenalty": 0.5,
        "responseLogprobs": True,
        "logprobs": 1,
        "responseMimeType": "application/json",
        "responseSchema": _SCHEMA,
        "responseJsonSchema": {"free_form": 1},
        "_responseJsonSchema": {"free_form": 1},
        "responseFormat": {
            "text": {"mimeType": "APPLICATION_JSON", "schema": {"free_form": 1}},
            "audio": {"free_form": 1},
            "image": {"free_form": 1},
            "video": {"free_form": 1},
        },
        "responseModalities": ["TEXT", "IMAGE"],
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 0, "thinkingLevel": "LOW"},
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "speechConfig": {"free_form": 1},
        "imageConfig": {"free_form": 1},
        "audioTranscriptionConfig": {"free_form": 1},
        "enableEnhancedCivicAnswers": True,
        "translationConfig": {"free_form": 1},
        "audioTimestamp": True,
        "enableAffectiveDialog": True,
        "routingConfig": {"free_form": 1},
        "modelConfig": {"free_form": 1},
        "modelSelectionConfig": {"free_form": 1},
    },
    "cachedContent": "cachedContents/c",
    "labels": {"free_form": "1"},
    "serviceTier": "FLEX",
    "store": True,
    "continuationToken": "AAAA",
    "modelArmorConfig": {"free_form": 1},
    "outputConfig": {"free_form": 1},
}

EMBED: Final[dict[str, Any]] = {
    "model": "models/m",
    "content": {"parts": [{"text": "Hello"}]},
    "taskType": "RETRIEVAL_QUERY",
    "title": "t",
    "outputDimensionality": "64",
    "embedContentConfig": {
        "taskType": "RETRIEVAL_QUERY",
        "title": "t",
        "outputDimensionality": "64",
        "autoTruncate": True,
        "documentOcr": True,
        "audioTrackExtraction": True,
        "mimeType": "text/plain",
    },
}

# Where a client's own names begin, so that no key inside is a field.
FREE_FORM: Final = frozenset(
    {
        "_responseJsonSchema",
        "args",
        "audio",
        "audioMetadata",
        "audioTranscription",
        "audioTranscriptionConfig",
        "codeExecution",
        "codeExecutionResult",
        "computerUse",
        "default",
        "documentMetadata",
        "enterpriseWebSearch",
        "exaAiSearch",
        "example",
        "executableCode",
        "fileSearch",
        "googleMaps",
        "googleSearch",
        "googleSearchRetrieval",
        "image",
        "imageConfig",
        "labels",
        "mcpServers",
        "mediaProcessing",
        "mediaResolution",
        "modelArmorConfig",
        "modelConfig",
        "modelSelectionConfig",
        "outputConfig",
        "parallelAiSearch",
        "parametersJsonSchema",
        "partMetadata",
        "partialArgs",
        "responseJsonSchema",
        "retrieval",
        "retrievalConfig",
        "routingConfig",
        "schema",
        "speechConfig",
        "speechMetadata",
        "spreadsheetMetadata",
        "toolCall",
        "toolResponse",
        "translationConfig",
        "urlContext",
        "video",
        "videoMetadata",
    }
)

Steps = tuple[str | int, ...]


def objects(value: Any, at: Steps = ()) -> Iterator[Steps]:
    """The paths of all objects in a camelCase request whose keys are fields."""
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from objects(entry, (*at, index))
    elif isinstance(value, dict):
        if not names_are_free(at):
            yield at
        for key, inner in value.items():
            if not is_free_form(at, key):
                yield from objects(inner, (*at, key))


def names_are_free(at: Steps) -> bool:
    """Whether the object at `at` has the client's own names, and fields further inside."""
    return at[-1:] in (("properties",), ("defs",)) and at[-2:-1] != at[-1:]


def is_free_form(at: Steps, key: str) -> bool:
    if names_are_free(at):
        return False
    in_answer = at[-1:] == ("functionResponse",) and key == "response"
    return key in FREE_FORM or in_answer
