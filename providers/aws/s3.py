"""The S3 calls that files and jobs need (bedrock.md section 5)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

from yarl import URL

from providers.aws.client import AwsClient
from providers.aws.few_at_a_time import few_at_a_time
from providers.aws.folder import Folder
from providers.aws.signing import aws_url, encode_key
from providers.aws.target import S3Target
from providers.body import Body
from providers.errors import NotFound
from providers.json_api.answer_shape import time_or_none, written_count
from providers.json_api.page_tokens import leading_on
from providers.multipart_uploads import Part
from providers.upstream import Reply, invalid_answer

METADATA_PREFIX: Final = "x-amz-meta-"
_PAGE_SIZE: Final = 1000


@dataclass(frozen=True, slots=True)
class StoredObject:
    """`size` in bytes; `metadata` by lower-case names. Lists show no metadata and no type."""

    key: str
    size: int
    modified: datetime | None
    content_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenUpload:
    key: str
    id: str
    begun: datetime | None


class S3:
    """Calls to any bucket. `key` is the full key, with the prefix of its folder."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def head(self, target: S3Target, bucket: str, key: str) -> StoredObject | None:
        """None if there is no such object; HEAD does not say whether the bucket exists."""
        try:
            return _described(key, await self._client.head(target, _url(target, bucket, key)))
        except NotFound:
            return None

    async def open(self, target: S3Target, bucket: str, key: str, etag: str | None = None) -> Reply:
        """The object, still on the wire; the caller closes it. Raises NOT_FOUND.

        Raises a FerryError with `upstream_status` 412 if its ETag is no longer `etag`.
        """
        headers = {"If-Match": etag} if etag else {}
        url = _url(target, bucket, key)
        return await self._client.opened(target, url, headers)

    async def put(
        self, target: S3Target, bucket: str, key: str, body: Body, headers: Mapping[str, str]
    ) -> None:
        await self._client.put(target, _url(target, bucket, key), body, headers)

    async def copy(
        self, target: S3Target, source: tuple[str, str], destination: tuple[str, str]
    ) -> None:
        """Copy within S3, both given as (bucket, key). Raises NOT_FOUND without a source."""
        headers = {"x-amz-copy-source": encode_key("/".join(source))}
        await self._client.xml(target, "PUT", _url(target, *destination), headers=headers)

    async def delete(self, target: S3Target, bucket: str, key: str) -> None:
        await self._client.xml(target, "DELETE", _url(target, bucket, key))

    async def page(
        self,
        target: S3Target,
        folder: Folder,
        limit: int = _PAGE_SIZE,
        token: str | None = None,
        after: str = "",
    ) -> tuple[Sequence[StoredObject], str | None]:
        """Objects whose keys begin with the prefix of `folder`, and S3's token for the next page.

        They are in key order. `after` is the key that the first page follows.
        """
        query = {
            "list-type": "2",
            "prefix": folder.prefix,
            "max-keys": str(min(limit, _PAGE_SIZE)),
            "encoding-type": "url",  # a key may hold characters that XML cannot
        }
        if token:
            query["continuation-token"] = token
        elif after:
            query["start-after"] = after
        root = await self._root(target, "GET", _url(target, folder.bucket, "", query))
        if root.tag != "ListBucketResult":  # any other answer would be read as an empty list
            raise invalid_answer(f"S3 answered with {root.tag[:40]!r}, not a list")
        encoded = root.findtext("EncodingType") == "url"
        listed = [_listed(element, encoded=encoded) for element in root.iter("Contents")]
        if root.findtext("IsTruncated") != "true":
            return listed, None
        return listed, leading_on("S3", token, _text(root, "NextContinuationToken"))

    async def each(
        self, target: S3Target, folder: Folder, after: str = ""
    ) -> AsyncIterator[StoredObject]:
        token: str | None = None
        while True:
            listed, token = await self.page(target, folder, token=token, after=after)
            for found in listed:
                yield found
            if token is None:
                return

    async def clear(self, target: S3Target, folder: Folder) -> None:
        """Delete everything below `folder`, a few objects at a time."""
        token: str | None = None
        while True:
            listed, token = await self.page(target, folder, token=token)
            await few_at_a_time(self.delete(target, folder.bucket, found.key) for found in listed)
            if token is None:
                return

    # --- multipart uploads ----------------------------------------------------------------------

    async def begin(
        self, target: S3Target, bucket: str, key: str, headers: Mapping[str, str]
    ) -> str:
        """The id of a new multipart upload."""
        url = _url(target, bucket, key, {"uploads": ""})
        return _text(await self._root(target, "POST", url, headers=headers), "UploadId")

    async def put_part(
        self, target: S3Target, bucket: str, key: str, upload: str, number: int, body: Body
    ) -> None:
        query = {"partNumber": str(number), "uploadId": upload}
        await self._client.put(target, _url(target, bucket, key, query), body)

    async def parts(
        self, target: S3Target, bucket: str, key: str, upload: str, after: int
    ) -> AsyncIterator[tuple[Part, str]]:
        """The parts that have arrived after number `after`, each with its ETag."""
        marker: str | None = str(after)
        while marker is not None:
            query = {"uploadId": upload, "part-number-marker": marker}
            root = await self._root(target, "GET", _url(target, bucket, key, query))
            for element in root.iter("Part"):
                number, size = _number(element, "PartNumber"), _number(element, "Size")
                yield Part(number, size), _text(element, "ETag")
            more = root.findtext("IsTruncated") == "true"
            following = _text(root, "NextPartNumberMarker") if more else None
            marker = leading_on("S3", marker, following)

    async def complete(
        self,
        target: S3Target,
        bucket: str,
        key: str,
        upload: str,
        etags: Sequence[str],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Assemble the object from its parts, numbered from 1."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
            for number, etag in enumerate(etags, start=1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        url = _url(target, bucket, key, {"uploadId": upload})
        await self._root(target, "POST", url, body, headers)

    async def abort(self, target: S3Target, bucket: str, key: str, upload: str) -> None:
        with suppress(NotFound):
            url = _url(target, bucket, key, {"uploadId": upload})
            await self._client.xml(target, "DELETE", url)

    async def uploads(self, target: S3Target, folder: Folder) -> AsyncIterator[OpenUpload]:
        """The uploads that are neither completed nor aborted."""
        query = {"uploads": "", "prefix": folder.prefix}
        token: str | None = None
        while True:
            root = await self._root(target, "GET", _url(target, folder.bucket, "", query))
            for element in root.iter("Upload"):
                yield OpenUpload(
                    _text(element, "Key"),
                    _text(element, "UploadId"),
                    time_or_none(element.findtext("Initiated")),
                )
            if root.findtext("IsTruncated") != "true":
                return
            query["key-marker"] = _text(root, "NextKeyMarker")
            query["upload-id-marker"] = _text(root, "NextUploadIdMarker")
            token = leading_on("S3", token, query["upload-id-marker"])

    async def _root(
        self,
        target: S3Target,
        method: str,
        url: URL,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        root = await self._client.xml(target, method, url, body, headers)
        if root is None:
            raise invalid_answer(f"{self._client.name}: S3 sent an empty answer")
        return root


def _url(target: S3Target, bucket: str, key: str, query: Mapping[str, str] | None = None) -> URL:
    return aws_url(target.bucket_url(bucket), f"/{encode_key(key)}", query)


def _described(key: str, answer: Mapping[str, str]) -> StoredObject:
    headers = {name.lower(): value for name, value in answer.items()}
    return StoredObject(
        key=key,
        size=_length(headers.get("content-length", "0")),
        modified=_from_http_date(headers.get("last-modified")),
        content_type=headers.get("content-type"),
        metadata={
            name.removeprefix(METADATA_PREFIX): value
            for name, value in headers.items()
            if name.startswith(METADATA_PREFIX)
        },
    )


def _listed(element: Any, *, encoded: bool) -> StoredObject:
    key = _text(element, "Key")
    return StoredObject(
        key=unquote_plus(key) if encoded else key,
        size=_number(element, "Size"),
        modified=time_or_none(element.findtext("LastModified")),
    )


def _text(element: Any, name: str) -> str:
    text = element.findtext(name)
    if not text:
        raise invalid_answer(f"S3's answer lacks {name}")
    return str(text)


def _length(text: str) -> int:
    length = written_count(text)
    if length is None:
        raise invalid_answer("S3's answer has an invalid Content-Length")
    return length


def _number(element: Any, name: str) -> int:
    number = written_count(_text(element, name))
    if number is None:
        raise invalid_answer(f"S3's answer has no number at {name}")
    return number


def _from_http_date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except (ValueError, OverflowError):  # its zone may move it before year 1 or after year 9999
        return None
