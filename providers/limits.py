"""The one table of limits of inputs: what a client or an upstream may send at most.

A limit that a provider sets is a `Limit` too, in the provider's own folder, with its source. The
settings of an operator (`FERRY_MAX_LINE_BYTES` and the like) are in `proxy/settings.py`.
deploy/docs/limits.md shows all of them.
"""

from typing import Final


class Limit(int):
    """The largest allowed number of `unit`; `bounds` says of what."""

    unit: str
    bounds: str

    def __new__(cls, value: int, unit: str, bounds: str) -> "Limit":
        limit = super().__new__(cls, value)
        limit.unit, limit.bounds = unit, bounds
        return limit


# --- HTTP -------------------------------------------------------------------------------------

# The longest URL of a sealed upload exceeds aiohttp's default.
HTTP_FIELD: Final = Limit(16 << 10, "bytes", "a request line, a status line or a header field")
DISCARDED_BODY: Final = Limit(
    32 << 20, "bytes", "the rest of a refused body, which is read before the answer"
)
# Common parsers, such as aiohttp's, refuse a request line longer than 8190 bytes.
UPLOAD_TOKEN: Final = Limit(7_500, "characters", "the sealed `upload_id` of an upload URL")
FORWARDED_PREFIX: Final = Limit(256, "characters", "`X-Forwarded-Prefix`")

# --- Requests of clients ----------------------------------------------------------------------

START_BODY: Final = Limit(64 << 10, "bytes", "the JSON that starts an upload")
# A relayed creation of a batch from a file is smaller; larger ones are relayed unread.
INSPECTED_BODY: Final = Limit(16 << 10, "bytes", "a relayed creation that the proxy reads")
# Each part has at most 128 lines of headers.
MULTIPART_LINES: Final = Limit(
    300, "lines", "boundaries, headers and text before the first boundary of a multipart upload"
)
PAGE_ITEMS: Final = Limit(100, "items", "a page of a list; a larger `pageSize` means this")
PAGE_SIZE_DIGITS: Final = Limit(9, "digits", "`pageSize`")
STAGED_FILE: Final = Limit(
    512 << 20, "bytes", "a file that the proxy keeps for a provider whose batches it runs"
)
SIZE_DIGITS: Final = Limit(18, "digits", "a size or an offset of an upload")
# OpenAI takes as many at once, Gemini 100.
EMBED_REQUESTS: Final = Limit(2_048, "requests", "`requests` of a `batchEmbedContents`")
DISPLAY_NAME: Final = Limit(2_000, "characters", "`displayName` of a batch")
IDEMPOTENCY_KEY: Final = Limit(256, "characters", "`x-ferry-idempotency-key`")

# --- Names ------------------------------------------------------------------------------------

NATIVE_NAME: Final = Limit(512, "characters", "a provider's own id of a file or a batch")
S3_KEY: Final = Limit(1024, "characters", "the key of an object in S3")
# The longest id that the proxy makes: an object's key, of four bytes a character.
RESOURCE_ID: Final = Limit(
    1 + -(-S3_KEY * 4 * 8 // 5),
    "characters",
    "a file's or a batch's name, with its collection",
)
RESOURCE_URI: Final = Limit(
    RESOURCE_ID + 2048, "characters", "a file's URI: a name after an address, before a query"
)
# No provider takes a longer name; the longest are ARNs.
PATH_NAME: Final = Limit(2048, "characters", "a name in a provider's path, such as a model's")
S3_URI: Final = Limit(1024, "characters", "the S3 address of a folder")

# --- Batches ----------------------------------------------------------------------------------

# Enough for any 500 characters.
LINE_KEY: Final = Limit(2_000, "bytes", "the `key` of a line")
CUSTOM_ID: Final = Limit(1_000, "bytes", "the id of a line in a provider's own format")
# Enough for 100,000 requests with keys of 1,300 bytes on average.
REQUEST_TABLE: Final = Limit(128 << 20, "bytes", "all keys, ids or metadata of a batch")
# Twice the largest number of requests that a provider accepts. A batch may have failed because its
# input has more; waiting for free memory would not help then.
TABLE_ROWS: Final = Limit(200_000, "lines", "an input file that is read again for its ids")
TABLE_ID: Final = Limit(512, "characters", "an id in an input file that is read again")
METADATA_VALUE: Final = Limit(512, "characters", "a value in the metadata of a provider's batch")
# Of the line's input or output: member names and the record id.
IMMEDIATE_EXTRA: Final = Limit(
    64 << 10, "bytes", "the rest of a stored line beside the model's input or output"
)
# A line of results may hold its whole request, and some members of the provider's own.
RESULT_EXTRA: Final = Limit(
    1 << 20, "bytes", "a line of results, over the limit for a line of an input"
)
# Enough for an id of 1000 bytes in any escaping, and what may be before it.
RESULT_HEAD: Final = Limit(
    8 << 10, "bytes", "the start of a line of results that is searched for its id"
)

# A member that shows what the line is comes early in it, before long content.
FIRST_LINE: Final = Limit(
    64 << 10, "bytes", "the first line of a text that may be a batch's input, as far as it is read"
)

# --- JSON -------------------------------------------------------------------------------------

# Far above what content needs, and below the depth that orjson can encode (254).
JSON_DEPTH: Final = Limit(100, "levels", "objects and lists in one another, in any JSON")
# A node is an object, a list, a string or the name of a member. It takes 300 bytes and 2 us while
# a request is translated, into at most twice as many nodes.
LINE_NODES: Final = Limit(250_000, "nodes", "a request in a line of a file, or inline")
JSON_NODES: Final = Limit(
    2 * LINE_NODES, "nodes", "any other JSON: a request's body, a result, an upstream's answer"
)
# Most are numbers, as those of embeddings.
JSON_ITEMS: Final = Limit(2_000_000, "items", "values and members together, in any JSON")
# Such a text is parsed in pieces, and a name is parsed whole.
JSON_NAME: Final = Limit(64 << 10, "bytes", "the name of a member, in JSON of more than 1 MiB")

# --- Answers of upstreams ---------------------------------------------------------------------

# A page of 1000 jobs or objects, whose names are long, fits.
UPSTREAM_ANSWER: Final = Limit(16 << 20, "bytes", "an upstream's JSON or XML answer")
# A page of 1,000 objects with long names has 3 MiB and 10,000 elements.
XML_BYTES: Final = Limit(8 << 20, "bytes", "an S3 answer in XML")
XML_ELEMENTS: Final = Limit(50_000, "elements", "an S3 answer in XML")
XML_DEPTH: Final = Limit(20, "levels", "elements in one another in an S3 answer")
# A model's words come in small pieces; one event may have log probabilities or a whole call.
STREAM_EVENT: Final = Limit(4 << 20, "bytes", "one event of a model's stream")
STREAM_CALLS: Final = Limit(
    8 << 20, "characters", "all function calls in one stream, with 256 more for each call"
)
# Of 2,048 embeddings with 4,096 numbers; a number has at most 24 bytes.
EMBEDDINGS: Final = Limit(192 << 20, "bytes", "the embeddings that answer one call")
# It is parsed at once, to see that it is a list of numbers.
VECTOR: Final = Limit(2 << 20, "bytes", "one embedding in an upstream's answer")
UPSTREAM_REFUSAL: Final = Limit(64 << 10, "bytes", "an upstream's error that is read")
# Whether a list of batches carries their results is unverified (gemini.md section 5).
RELAYED_ANSWER: Final = Limit(32 << 20, "bytes", "a relayed answer that is read to isolate tenants")
# An answer with a batch and without results is much smaller.
RELAYED_BATCH: Final = Limit(
    1 << 20, "bytes", "a relayed answer whose batch is read; a larger one has results"
)
RELAYED_FILE: Final = Limit(1 << 20, "bytes", "the upstream's answer to an upload's start or end")

# --- The state store --------------------------------------------------------------------------

STATE_RECORD: Final = Limit(1 << 20, "bytes", "a small object in the state store")
# About 100 bytes for each tenant that has some.
UNFINISHED_BYTES: Final = Limit(16 << 20, "bytes", "the figures of the unfinished uploads")

# --- Files ------------------------------------------------------------------------------------

UPLOAD_PARTS: Final = Limit(10_000, "parts", "an upload that is stored in parts")
