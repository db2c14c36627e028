"""What S3 refuses although moto accepts it (bedrock.md section 5)."""

from collections.abc import Mapping
from html import escape

from ..aws_keys import REGION

METADATA_BYTES = 2048
METADATA_PREFIX = "x-amz-meta-"
ENCRYPTION = "x-amz-server-side-encryption"
PART_NUMBERS = range(1, 10_001)
SAYS = {
    "AccessDenied": "Access Denied",
    "InvalidAccessKeyId": "The AWS Access Key Id you provided does not exist in our records.",
    "NoSuchBucket": "The specified bucket does not exist",
    "SignatureDoesNotMatch": "The signature that was calculated is not the one you provided.",
}


class S3Refusal(Exception):
    """An error of S3: its HTTP status, its code, and further members."""

    def __init__(self, status: int, code: str, message: str = "", **more: str) -> None:
        super().__init__(f"{status}: {code}")
        self.status = status
        self.code = code
        self.headers: dict[str, str] = {}
        self._document = {"Code": code, "Message": message or SAYS.get(code, "refused"), **more}

    def render(self) -> bytes:
        told = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in self._document.items())
        return f'<?xml version="1.0" encoding="UTF-8"?><Error>{told}</Error>'.encode()


class WrongRegion(S3Refusal):
    """Signed for a region other than the bucket's. The error names the right one for the client.

    `where` begins the message; `code` depends on whether the signature was in a URL.
    """

    def __init__(self, code: str, where: str, given: str) -> None:
        message = f"{where}; the region '{given}' is wrong; expecting '{REGION}'"
        super().__init__(400, code, message, Region=REGION)
        self.headers["x-amz-bucket-region"] = REGION


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


def check_encryption(method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """Encryption is chosen for an object, or at the start of one in parts, and nowhere else."""
    given = {name for name in headers if name.startswith(ENCRYPTION)}
    chooses = (method == "PUT" and "partNumber" not in query) or (
        method == "POST" and "uploads" in query
    )
    kind = headers.get(ENCRYPTION)
    if given and not chooses:
        raise S3Refusal(400, "InvalidArgument")
    if given and kind not in ("AES256", "aws:kms"):
        raise S3Refusal(400, "InvalidArgument")
    if f"{ENCRYPTION}-aws-kms-key-id" in given and kind != "aws:kms":
        raise S3Refusal(400, "InvalidArgument")


def check_part_number(query: Mapping[str, str]) -> None:
    number = query.get("partNumber", "1")
    if not number.isdecimal() or int(number) not in PART_NUMBERS:
        raise S3Refusal(400, "InvalidArgument")
