"""Names at AWS, as CreateModelInvocationJob takes them (bedrock.md section 2)."""

import re
from dataclasses import dataclass
from typing import Final

from providers.limits import S3_URI

_ROLE_ARN: Final = re.compile(
    r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,2000}"
)
_S3_URI: Final = re.compile(
    r"s3://(?P<bucket>[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9])"
    # A proxy on the way might resolve "." and "..".
    r"(?P<key>(?:/(?!\.{1,2}(?:/|$))[-!_*'().a-zA-Z0-9]+)*)/?"
)
_IP_ADDRESS: Final = re.compile(r"[0-9]+(\.[0-9]+){3}")


@dataclass(frozen=True, slots=True)
class Folder:
    """Part of a bucket. `prefix` is empty or ends in a slash."""

    bucket: str
    prefix: str

    def __truediv__(self, name: str) -> "Folder":
        return Folder(self.bucket, f"{self.prefix}{name}/")

    def uri(self, name: str = "") -> str:
        return f"s3://{self.bucket}/{self.prefix}{name}"


def parse_s3_uri(uri: str) -> Folder | None:
    """Parse `s3://bucket[/prefix]` as Bedrock accepts it; None for anything else."""
    found = _S3_URI.fullmatch(uri)
    if found is None or len(uri) > S3_URI or _IP_ADDRESS.fullmatch(found["bucket"]):
        return None
    key = found["key"].removeprefix("/")
    return Folder(found["bucket"], f"{key}/" if key else "")


def is_role_arn(text: str) -> bool:
    return _ROLE_ARN.fullmatch(text) is not None
