"""What S3 refuses although moto lets it pass (bedrock.md section 5)."""

from collections.abc import Mapping

METADATA_BYTES = 2048
METADATA_PREFIX = "x-amz-meta-"
PART_NUMBERS = range(1, 10_001)


class S3Refusal(Exception):
    """An error of S3's: its HTTP status and its code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status}: {code}")
        self.status = status
        self.code = code

    def render(self) -> bytes:
        head = '<?xml version="1.0" encoding="UTF-8"?>'
        return f"{head}<Error><Code>{self.code}</Code><Message>refused</Message></Error>".encode()


def check_framing(method: str, headers: Mapping[str, str]) -> None:
    """`headers` by names in lower case."""
    if method in ("PUT", "POST") and "transfer-encoding" in headers:
        raise S3Refusal(501, "NotImplemented")
    if method == "PUT" and "content-length" not in headers:
        raise S3Refusal(411, "MissingContentLength")


def check_headers(headers: Mapping[str, str]) -> None:
    metadata = {n: v for n, v in headers.items() if n.startswith(METADATA_PREFIX)}
    if sum(len(n) - len(METADATA_PREFIX) + len(v) for n, v in metadata.items()) > METADATA_BYTES:
        raise S3Refusal(400, "MetadataTooLarge")
    if not all(value.isascii() for value in metadata.values()):
        raise S3Refusal(400, "InvalidArgument")
    if headers.get("if-none-match", "*") != "*":
        raise S3Refusal(501, "NotImplemented")


def check_part_number(query: Mapping[str, str]) -> None:
    number = query.get("partNumber", "1")
    if not number.isdecimal() or int(number) not in PART_NUMBERS:
        raise S3Refusal(400, "InvalidArgument")
