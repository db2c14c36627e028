"""The fields of Gemini's GenerateContentRequest and EmbedContentRequest, as a table.

Names are in camelCase; `normalise` derives the snake_case ones. A field that is not in the table
is unknown and refused. The field names are those of Google's published API description and SDK
types. Fields that only Vertex AI takes are included, so the error can say that the provider has
no such field.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from providers.gemini_content.enum_names import (
    BEHAVIORS,
    CALLING_MODES,
    HARM_CATEGORIES,
    HARM_THRESHOLDS,
    MEDIA_RESOLUTIONS,
    MODALITIES,
    SCHEDULINGS,
    TASK_TYPES,
    TYPES,
    EnumNames,
)


class Scalar(enum.Enum):
    """A value that holds no further known fields."""

    STRING = "a string"
    NUMBER = "a number"
    INTEGER = "an integer"
    BOOLEAN = "true or false"
    ENUM = "the name of an enum value"
    BYTES = "base64 text"
    ANY = "any JSON value"
    FREE_MAP = "an object"


STRING = Scalar.STRING
NUMBER = Scalar.NUMBER
INTEGER = Scalar.INTEGER
BOOLEAN = Scalar.BOOLEAN
ENUM = Scalar.ENUM
BYTES = Scalar.BYTES
ANY = Scalar.ANY
# The keys are the client's own, so neither their spelling nor their values change.
FREE_MAP = Scalar.FREE_MAP
# An object that only Gemini understands. Every translator refuses it, so its fields are not listed.
OPAQUE = Scalar.FREE_MAP


@dataclass(frozen=True)
class ListOf:
    item: "Kind"


@dataclass(frozen=True)
class MapOf:
    """An object whose keys are the client's own and whose values are known."""

    value: "Kind"


@dataclass(frozen=True)
class BooleanOr:
    otherwise: str


@dataclass(frozen=True)
class Numbered:
    """An enum value by its name, read as `kind`, or by its number: its place in `names`."""

    names: EnumNames
    kind: Scalar = ENUM


Kind: TypeAlias = Scalar | str | ListOf | MapOf | BooleanOr | Numbered
"""A text is the name of an object of the table."""

GENERATE: Final = "GenerateContentRequest"
EMBED: Final = "EmbedContentRequest"
SETTINGS: Final = "GenerationConfig"
CONTENT: Final = "Content"
SCHEMA: Final = "Schema"

OBJECTS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "GenerateContentRequest": {
        "model": STRING,
        "contents": ListOf(CONTENT),
        "systemInstruction": CONTENT,
        "tools": ListOf("Tool"),
        "toolConfig": "ToolConfig",
        "safetySettings": ListOf("SafetySetting"),
        "generationConfig": "GenerationConfig",
        "cachedContent": STRING,
        "labels": FREE_MAP,
        "serviceTier": ENUM,
        "store": BOOLEAN,
        "continuationToken": BYTES,
        "modelArmorConfig": OPAQUE,
        "outputConfig": OPAQUE,
    },
    "EmbedContentRequest": {
        "model": STRING,
        "content": CONTENT,
        "taskType": Numbered(TASK_TYPES),
        "title": STRING,
        "outputDimensionality": INTEGER,
        "embedContentConfig": "EmbedContentConfig",
    },
    "EmbedContentConfig": {
        "taskType": Numbered(TASK_TYPES),
        "title": STRING,
        "outputDimensionality": INTEGER,
        "autoTruncate": BOOLEAN,
        "documentOcr": BOOLEAN,
        "audioTrackExtraction": BOOLEAN,
        "mimeType": STRING,
    },
    "Content": {
        "role": STRING,
        "parts": ListOf("Part"),
    },
    "Part": {
        "text": STRING,
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": OPAQUE,
        "codeExecutionResult": OPAQUE,
        "toolCall": OPAQUE,
        "toolResponse": OPAQUE,
        "audioTranscription": OPAQUE,
        "thought": BOOLEAN,
        "thoughtSignature": BYTES,
        "partMetadata": FREE_MAP,
        "videoMetadata": OPAQUE,
        "speechMetadata": OPAQUE,
        "documentMetadata": OPAQUE,
        "spreadsheetMetadata": OPAQUE,
        "audioMetadata": OPAQUE,
        "mediaProcessing": ANY,
        "mediaResolution": OPAQUE,
    },
    "Blob": {"mimeType": STRING, "data": BYTES, "displayName": STRING},
    "FileData": {"mimeType": STRING, "fileUri": STRING, "displayName": STRING},
    "FunctionCall": {
        "id": STRING,
        "name": STRING,
        "args": FREE_MAP,
        "partialArgs": ListOf(OPAQUE),
        "willContinue": BOOLEAN,
    },
    "FunctionResponse": {
        "id": STRING,
        "name": STRING,
        "response": FREE_MAP,
        "parts": ListOf("FunctionResponsePart"),
        "willContinue": BOOLEAN,
        "scheduling": Numbered(SCHEDULINGS),
    },
    "FunctionResponsePart": {
        "inlineData": "Blob",
        "fileData": "FileData",
        "videoMetadata": OPAQUE,
        "documentMetadata": OPAQUE,
        "spreadsheetMetadata": OPAQUE,
        "audioMetadata": OPAQUE,
        "mediaProcessing": ANY,
        "mediaResolution": OPAQUE,
    },
    "GenerationConfig": {
        "temperature": NUMBER,
        "topP": NUMBER,
        "topK": INTEGER,
        "candidateCount": INTEGER,
        "maxOutputTokens": INTEGER,
        "stopSequences": ListOf(STRING),
        "seed": INTEGER,
        "presencePenalty": NUMBER,
        "frequencyPenalty": NUMBER,
        "responseLogprobs": BOOLEAN,
        "logprobs": INTEGER,
        "responseMimeType": STRING,
        "responseSchema": SCHEMA,
        "responseJsonSchema": FREE_MAP,
        "_responseJsonSchema": FREE_MAP,
        "responseFormat": "ResponseFormatConfig",
        "responseModalities": ListOf(Numbered(MODALITIES)),
        "thinkingConfig": "ThinkingConfig",
        "mediaResolution": Numbered(MEDIA_RESOLUTIONS),
        "speechConfig": OPAQUE,
        "imageConfig": OPAQUE,
        "audioTranscriptionConfig": OPAQUE,
        "enableEnhancedCivicAnswers": BOOLEAN,
        "translationConfig": OPAQUE,
        "audioTimestamp": BOOLEAN,
        "enableAffectiveDialog": BOOLEAN,
        "routingConfig": OPAQUE,
        "modelConfig": OPAQUE,
        "modelSelectionConfig": OPAQUE,
    },
    "ResponseFormatConfig": {
        "text": "TextResponseFormat",
        "audio": OPAQUE,
        "image": OPAQUE,
        "video": OPAQUE,
    },
    "TextResponseFormat": {"mimeType": ENUM, "schema": FREE_MAP},
    "ThinkingConfig": {
        "includeThoughts": BOOLEAN,
        "thinkingBudget": INTEGER,
        "thinkingLevel": ENUM,
    },
    "Tool": {
        "functionDeclarations": ListOf("FunctionDeclaration"),
        "codeExecution": OPAQUE,
        "enterpriseWebSearch": OPAQUE,
        "exaAiSearch": OPAQUE,
        "parallelAiSearch": OPAQUE,
        "computerUse": OPAQUE,
        "fileSearch": OPAQUE,
        "googleMaps": OPAQUE,
        "googleSearch": OPAQUE,
        "googleSearchRetrieval": OPAQUE,
        "mcpServers": ListOf(OPAQUE),
        "retrieval": OPAQUE,
        "urlContext": OPAQUE,
    },
    "FunctionDeclaration": {
        "name": STRING,
        "description": STRING,
        "parameters": SCHEMA,
        "parametersJsonSchema": FREE_MAP,
        "response": SCHEMA,
        "responseJsonSchema": FREE_MAP,
        "behavior": Numbered(BEHAVIORS),
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig",
        "retrievalConfig": OPAQUE,
        "includeServerSideToolInvocations": BOOLEAN,
    },
    "FunctionCallingConfig": {
        "mode": Numbered(CALLING_MODES),
        "allowedFunctionNames": ListOf(STRING),
        "streamFunctionCallArguments": BOOLEAN,
    },
    "SafetySetting": {
        "category": Numbered(HARM_CATEGORIES),
        "threshold": Numbered(HARM_THRESHOLDS),
        "method": ENUM,
    },
    "Schema": {
        # Not an ENUM: a type that is named UNSPECIFIED is an error here, not a default.
        "type": Numbered(TYPES, STRING),
        "format": STRING,
        "title": STRING,
        "description": STRING,
        "nullable": BOOLEAN,
        "enum": ListOf(STRING),
        "items": SCHEMA,
        "minItems": INTEGER,
        "maxItems": INTEGER,
        "properties": MapOf(SCHEMA),
        "additionalProperties": BooleanOr(SCHEMA),
        "required": ListOf(STRING),
        "minProperties": INTEGER,
        "maxProperties": INTEGER,
        "propertyOrdering": ListOf(STRING),
        "minLength": INTEGER,
        "maxLength": INTEGER,
        "pattern": STRING,
        "minimum": NUMBER,
        "maximum": NUMBER,
        "anyOf": ListOf(SCHEMA),
        "default": ANY,
        "example": ANY,
        "defs": MapOf(SCHEMA),
        "ref": STRING,
    },
}

# Values that mean the same as an absent field (translation.md section 0).
DEFAULTS: Final[Mapping[str, Mapping[str, object]]] = {
    "GenerationConfig": {
        "candidateCount": 1,
        "responseModalities": ["TEXT"],
        "responseMimeType": "text/plain",
    },
}
