"""The content blocks of a request as one table (anthropic 2.12's types, anthropic.md section 4).

Blocks of server tools (web search, code execution, ...) are unknown here.
"""

from ..shape import Anything, Either, Flag, Nullable, Record, Sequence, Shape, Table, Tagged, Text

ANY = Anything()
# Anthropic refuses a text that is empty or only white space.
SOLID_TEXT = Text(pattern=r"(?s).*\S.*")
NATIVE_ID = Text(pattern=r"[a-zA-Z0-9_-]+")
TOOL_NAME = Text(pattern=r"[a-zA-Z0-9_-]{1,128}")
BASE64 = Text(
    pattern=r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    low=1,
)
LINK = Text(pattern=r"https?://\S+")
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
DOCUMENT_TYPES = ("application/pdf", "text/plain")
CACHE_CONTROL = Nullable(
    Record({"type": Text(choices=["ephemeral"]), "ttl": Text(choices=["5m", "1h"])}, ("type",))
)


def _block(required: dict[str, Shape], **optional: Shape) -> Record:
    return Record({**required, "cache_control": CACHE_CONTROL, **optional}, tuple(required))


def _closed(**required: Shape) -> Record:
    return Record(required, tuple(required))


TEXT = _block({"text": SOLID_TEXT}, citations=Nullable(Sequence(Table(ANY))))
SYSTEM_BLOCKS = Tagged("type", {"text": TEXT})
IMAGE_SOURCE = Tagged(
    "type",
    {
        "base64": _closed(data=BASE64, media_type=Text(choices=IMAGE_TYPES)),
        "url": _closed(url=LINK),
        "file": _closed(file_id=Text(low=1)),
    },
)
IMAGE = _block(
    {"source": IMAGE_SOURCE},
    transformations=Nullable(Record({"oversized_image": Text(choices=["downsize", "error"])})),
)
SOURCE_BLOCKS = Tagged("type", {"text": TEXT, "image": IMAGE})
DOCUMENT_SOURCE = Tagged(
    "type",
    {
        "base64": _closed(data=BASE64, media_type=Text(choices=["application/pdf"])),
        "text": _closed(data=Text(low=1), media_type=Text(choices=["text/plain"])),
        "content": _closed(content=Either((SOLID_TEXT, Sequence(SOURCE_BLOCKS, low=1)))),
        "url": _closed(url=LINK),
        "file": _closed(file_id=Text(low=1)),
    },
)
CITATIONS = Record({"enabled": Flag()})
DOCUMENT = _block(
    {"source": DOCUMENT_SOURCE},
    title=Nullable(Text(low=1, high=500)),
    context=Nullable(Text(low=1)),
    citations=Nullable(CITATIONS),
)
SEARCH_RESULT = _block(
    {
        "content": Sequence(SYSTEM_BLOCKS, low=1),
        "source": Text(low=1),
        "title": Text(low=1),
    },
    citations=CITATIONS,
)
RESULT_BLOCKS = Tagged(
    "type",
    {"text": TEXT, "image": IMAGE, "document": DOCUMENT, "search_result": SEARCH_RESULT},
)
TOOL_RESULT = _block(
    {"tool_use_id": NATIVE_ID},
    content=Either((Text(), Sequence(RESULT_BLOCKS))),
    is_error=Flag(),
)
TOOL_USE = _block(
    {"id": NATIVE_ID, "name": TOOL_NAME, "input": Table(ANY)},
    caller=Tagged("type", {"direct": Record({})}),
)
THINKING = _closed(thinking=Text(), signature=Text(low=1))
REDACTED_THINKING = _closed(data=Text(low=1))

USER_BLOCKS = Tagged(
    "type",
    {
        "text": TEXT,
        "image": IMAGE,
        "document": DOCUMENT,
        "search_result": SEARCH_RESULT,
        "tool_result": TOOL_RESULT,
    },
)
ASSISTANT_CASES = {
    "text": TEXT,
    "thinking": THINKING,
    "redacted_thinking": REDACTED_THINKING,
    "tool_use": TOOL_USE,
}
ASSISTANT_BLOCKS = {
    "2023-06-01": Tagged("type", {**ASSISTANT_CASES, "document": DOCUMENT}),
    # The new version refuses a document directly in an assistant's message.
    "2026-10-21": Tagged("type", ASSISTANT_CASES),
}
