"""The files that the requests of a batch name, as S3 locations that Bedrock can read.

A job reads media only from the folder of its input (bedrock.md section 3), so files are copied
there within S3. An immediate batch reads them in their original location.
"""

from dataclasses import dataclass, field

from providers.aws.few_at_a_time import few_at_a_time
from providers.aws.folder import Folder
from providers.aws.s3 import S3
from providers.aws.target import AwsTarget
from providers.bedrock.files import BATCH_SUFFIX, SAFE_SUFFIX, key_of
from providers.errors import FerryError, NotFound, invalid_argument
from providers.resources import FileOfUri, any_file
from providers.upload import suffix


@dataclass(slots=True)
class Media:
    """`folder` has the files; `copy_folder` is for the copies of a job, None otherwise.

    `file_of_uri` finds the file that a URI names. `paths` maps each key to the first JSON path
    that names it.
    """

    folder: Folder
    copy_folder: Folder | None
    file_of_uri: FileOfUri = any_file
    paths: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def uri(self, file_uri: str, path: str) -> str | None:
        """The s3:// URI for `file_uri`; None if it is not a file of this proxy."""
        file_id = self.file_of_uri(file_uri, path)
        if file_id is None:
            return None
        key = key_of(file_id, self.folder, path)
        self.paths.setdefault(key, path)
        if self.copy_folder is None:
            return Folder(self.folder.bucket, "").uri(key)
        return self.copy_folder.uri(self._copy_name(key))

    def _copy_name(self, key: str) -> str:
        return self._names.setdefault(key, f"media-{len(self._names)}{media_suffix(key)}")

    async def check(self, s3: S3, target: AwsTarget) -> None:
        """Raises INVALID_ARGUMENT for a file that does not exist."""

        async def check_one(key: str, path: str) -> None:
            if await s3.head(target, self.folder.bucket, key) is None:
                raise _no_such_file(path)

        await few_at_a_time(check_one(key, path) for key, path in self.paths.items())

    async def copy(self, s3: S3, target: AwsTarget) -> None:
        """Put every file beside the job's input. Raises INVALID_ARGUMENT as `check` does."""
        if self.copy_folder is None:
            raise AssertionError("an immediate batch has no copies")
        bucket, prefix = self.folder.bucket, self.copy_folder.prefix

        async def copy_one(key: str, path: str) -> None:
            try:
                await s3.copy(target, (bucket, key), (bucket, prefix + self._copy_name(key)))
            except FerryError as error:
                raise (_no_such_file(path) if isinstance(error, NotFound) else error) from None

        await few_at_a_time(copy_one(key, path) for key, path in self.paths.items())


def media_suffix(key: str) -> str:
    """A readable suffix, but never that of an input, which the job would read."""
    ending = suffix(key.rpartition("/")[2])
    return ending if SAFE_SUFFIX.fullmatch(ending) and ending != BATCH_SUFFIX else ""


def _no_such_file(path: str) -> FerryError:
    return invalid_argument("names a file that is not there", path=path)
