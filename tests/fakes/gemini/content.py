"""The requests that Gemini understands: every object closed, both spellings taken."""

from dataclasses import dataclass
from typing import Any

import orjson

from ..media import seen
from ..shape import Anything, Either, Flag, Number, Record, Sequence, Shape, Table, Text

INT64 = Either((Text(pattern=r"-?\d+"), Number(whole=True)))
ANY = Anything()


class Objects(Sequence):
    """Of messages: a lone one may stand for the list (translation.md section 0)."""

    def parse(self, value: Any, path: str = "") -> list[Any]:
        return super().parse([value] if isinstance(value, dict) else value, path)


@dataclass(frozen=True)
class Enum:
    """A value by its name or by its number (gemini.md section 6); any name if none is listed."""

    names: tuple[str, ...] = ()

    def parse(self, value: Any, path: str = "") -> Any:
        if type(value) is not int:
            return Text(pattern=f"(?i){'|'.join(self.names)}" if self.names else None).parse(
                value, path
            )
        Number(low=0, high=len(self.names) - 1 if self.names else 11).parse(value, path)
        return self.names[value] if self.names else value


class SchemaTypes:
    """A Schema, which is not looked into: only the numbers of its types become names."""

    def parse(self, value: Any, path: str = "") -> dict[str, Any]:
        named: dict[str, Any] = _with_named_types(Table(ANY).parse(value, path))
        return named


TYPES = ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")


def _with_named_types(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_named_types(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: TYPES[each] if name == "type" and isinstance(each, int) else _with_named_types(each)
        for name, each in value.items()
    }


def message(*free: str, required: tuple[str, ...] = (), **fields: Shape) -> Record:
    """A protobuf message: `free` fields are not looked into."""
    return Record({**dict.fromkeys(free, ANY), **fields}, required, protobuf=True)


PART = message(
    "thoughtSignature",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "partMetadata",
    "videoMetadata",
    "mediaResolution",
    text=Text(),
    thought=Flag(),
    inlineData=message(data=Text(), mimeType=Text(), displayName=Text()),
    fileData=message(fileUri=Text(), mimeType=Text(), displayName=Text()),
    functionCall=message("args", id=Text(), name=Text(), required=("name",)),
    functionResponse=message(
        "response", "parts", "scheduling", "willContinue", id=Text(), name=Text()
    ),
)
CONTENT = message(
    role=Text(choices=["user", "model", "function", "tool"]), parts=Objects(PART), required=()
)
# @google/generative-ai 0.24 gives an instruction the role `system`.
INSTRUCTION = message(role=Text(), parts=Objects(PART))
FUNCTION = message(
    "parametersJsonSchema",
    "responseJsonSchema",
    "behavior",
    parameters=SchemaTypes(),
    response=Table(ANY),
    name=Text(pattern=r"[a-zA-Z_][\w.:-]{0,127}"),
    description=Text(),
    required=("name",),
)
TOOL = message(
    "googleSearch",
    "googleSearchRetrieval",
    "codeExecution",
    "urlContext",
    "googleMaps",
    "computerUse",
    "fileSearch",
    "mcpServers",
    functionDeclarations=Objects(FUNCTION),
)
CALLING = message(
    mode=Enum(("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")),
    allowedFunctionNames=Sequence(Text()),
    streamFunctionCallArguments=Flag(),
)
GENERATION = message(
    "responseJsonSchema",
    "_responseJsonSchema",
    "translationConfig",
    "speechConfig",
    "imageConfig",
    "mediaResolution",
    "audioTimestamp",
    "audioTranscriptionConfig",
    "enableEnhancedCivicAnswers",
    responseSchema=SchemaTypes(),
    temperature=Number(low=0, high=2),
    topP=Number(low=0, high=1),
    topK=Number(low=0),
    candidateCount=Number(low=1, high=8, whole=True),
    maxOutputTokens=Number(low=1, whole=True),
    stopSequences=Sequence(Text(), high=5),
    responseMimeType=Text(choices=["text/plain", "application/json", "text/x.enum"]),
    responseModalities=Sequence(Enum(("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO"))),
    seed=Number(whole=True),
    presencePenalty=Number(),
    frequencyPenalty=Number(),
    responseLogprobs=Flag(),
    logprobs=Number(low=0, high=20, whole=True),
    responseFormat=message("audio", "image", text=message("mimeType", "schema")),
    thinkingConfig=message("thinkingLevel", includeThoughts=Flag(), thinkingBudget=Number()),
)
GENERATE = message(
    "continuationToken",
    "store",
    "serviceTier",
    model=Text(pattern=r"models/.+"),
    contents=Objects(CONTENT, low=1),
    systemInstruction=INSTRUCTION,
    tools=Objects(TOOL),
    toolConfig=message("retrievalConfig", functionCallingConfig=CALLING),
    safetySettings=Objects(message(category=Enum(), threshold=Enum(), method=Text())),
    generationConfig=GENERATION,
    cachedContent=Text(),
    labels=Table(Text()),
    required=("contents",),
)
EMBED = message(
    model=Text(pattern=r"models/.+"),
    content=CONTENT,
    taskType=Enum(),
    title=Text(),
    outputDimensionality=Number(low=1, whole=True),
    embedContentConfig=ANY,
    required=("content",),
)


# The Go library of the older API writes the model here too (github.com/google/generative-ai-go).
EMBED_SEVERAL = message(
    model=Text(pattern=r"models/.+"),
    requests=Objects(EMBED, low=1),
    required=("requests",),
)


def _inline(request: Record) -> Record:
    item = message(request=request, metadata=Table(ANY), required=("request",))
    return message(requests=Objects(item, low=1), required=("requests",))


def creation(request: Record) -> Record:
    """The body of `:batchGenerateContent` or `:asyncBatchEmbedContent` (gemini.md section 6)."""
    source = message(fileName=Text(pattern=r"files/.+"), requests=_inline(request))
    batch = message(
        "webhookConfig",
        displayName=Text(),
        inputConfig=source,
        priority=INT64,
        model=Text(),
        name=Text(),
        required=("inputConfig",),
    )
    return message(batch=batch, required=("batch",))


def line(request: Record) -> Record:
    """One line of a batch file."""
    return message(key=Text(), request=request, required=("request",))


def last_text(contents: list[dict[str, Any]]) -> str:
    """What the user said last, or what the functions answered after that."""
    for content in reversed(contents):
        texts = [text for part in content.get("parts", []) if (text := _shown(part))]
        if content.get("role", "user") != "model" and texts:
            return "".join(texts)
    return ""


def _shown(part: dict[str, Any]) -> str:
    match part:
        case {"functionResponse": {"response": answered}}:
            return orjson.dumps(answered).decode()
        case {"inlineData": {"data": data}}:
            return seen(data)
        case _:
            return str(part.get("text", ""))
