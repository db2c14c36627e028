"""Where a caller's calls go: region, role and S3 prefix, from the settings or the request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from yarl import URL

from providers.aws.folder import Folder, is_role_arn, parse_s3_uri
from providers.aws.keys import AwsKeys, OwnKeys, parse_keys
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument

REGION_HEADER: Final = "x-ferry-aws-region"
ROLE_HEADER: Final = "x-ferry-bedrock-role-arn"
S3_HEADER: Final = "x-ferry-bedrock-s3-uri"
PASSED_HEADERS: Final = frozenset({REGION_HEADER, ROLE_HEADER, S3_HEADER})
# What is staged for a caller, and belongs to one target; the role only says who reads it.
SCOPING_HEADERS: Final = frozenset({REGION_HEADER, S3_HEADER})

_SETTINGS: Final[Mapping[str, str]] = {
    REGION_HEADER: "REGION",
    ROLE_HEADER: "ROLE_ARN",
    S3_HEADER: "S3_URI",
}
_MARK_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class AwsTargetOptions:
    """What the settings say. `dns_suffixes`: of each region that there is.

    `own_keys` sign in place of the caller's. `isolated`: whether the callers are tenants who share
    them. `headers`: whether a caller may name region, role and prefix for himself.
    """

    name: str
    base_url: URL | None
    runtime_url: URL | None
    s3_endpoint_url: URL | None
    region: str | None
    role_arn: str | None
    s3_uri: str | None
    headers: bool
    dns_suffixes: Mapping[str, str] = field(repr=False)
    own_keys: OwnKeys | None = None
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class AwsTarget:
    """Of one call. `mark` tells the tenants of the proxy's own keys apart; else it is empty."""

    keys: AwsKeys
    region: str
    mark: str
    _options: AwsTargetOptions = field(repr=False)
    _from_headers: Mapping[str, str] = field(repr=False)

    @property
    def control(self) -> URL:
        return self._options.base_url or self._public("bedrock")

    @property
    def runtime(self) -> URL:
        options = self._options
        return options.runtime_url or options.base_url or self._public("bedrock-runtime")

    @property
    def role_arn(self) -> str:
        role = _required(
            self._options, self._from_headers, ROLE_HEADER, "the role that Bedrock reads S3 by"
        )
        if not is_role_arn(role):
            raise invalid_argument(
                f"{_names(self._options, ROLE_HEADER)}: not the ARN of a role "
                "(arn:aws:iam::ACCOUNT:role/NAME)"
            )
        return role

    @property
    def folder(self) -> Folder:
        """Where this caller's files and jobs lie."""
        what = "the s3://bucket/prefix for files and batches"
        folder = parse_s3_uri(_required(self._options, self._from_headers, S3_HEADER, what))
        if folder is None:
            raise invalid_argument(
                f"{_names(self._options, S3_HEADER)}: not s3://bucket/prefix, in the characters "
                "that Bedrock takes in it"
            )
        return folder / self.mark if self.mark else folder

    def may_read(self, uri: str) -> bool:
        """Whether a request may name the object at `uri`: it is read with these keys, or by the
        role, so with the proxy's own only what is the caller's to read.
        """
        return self._options.own_keys is None or uri.startswith(self.folder.uri())

    def bucket_url(self, bucket: str) -> URL:
        """The address below which the keys of `bucket` are."""
        endpoint = self._options.s3_endpoint_url
        if endpoint is not None:
            return endpoint.joinpath(bucket)
        host = f"s3.{self.region}.{self._options.dns_suffixes[self.region]}"
        # A certificate's wildcard covers no further dot.
        return URL(f"https://{host}/{bucket}" if "." in bucket else f"https://{bucket}.{host}")

    def _public(self, service: str) -> URL:
        suffix = self._options.dns_suffixes[self.region]
        return URL(f"https://{service}.{self.region}.{suffix}")


class AwsTargets:
    """Finds the target of a caller."""

    def __init__(self, options: AwsTargetOptions) -> None:
        self._options = options

    async def of(self, caller: Caller) -> AwsTarget:
        """Raises INVALID_ARGUMENT, UNAUTHENTICATED, and what `OwnKeys` raises."""
        options = self._options
        from_headers = {
            name: caller.headers[name] for name in _SETTINGS if caller.headers.get(name)
        }
        if from_headers and (options.own_keys is not None or not options.headers):
            raise invalid_argument(
                f"the header {min(from_headers)} is not taken here: only "
                f"{_setting(options, min(from_headers))} of the proxy says it"
            )
        keys = (
            parse_keys(caller.credential) if options.own_keys is None else await options.own_keys()
        )
        region = _required(options, from_headers, REGION_HEADER, "the AWS region")
        if region not in options.dns_suffixes:
            raise invalid_argument(
                f"{_names(options, REGION_HEADER)}: {region[:40]!r} is no region of AWS"
            )
        mark = caller.tenant[:_MARK_LENGTH] if options.isolated else ""
        return AwsTarget(keys, region, mark, options, from_headers)


def settings_prefix(name: str) -> str:
    """What the settings of the upstream called `name` begin with."""
    return f"FERRY_PROVIDERS__{name.upper().replace('-', '_')}__"


def _required(
    options: AwsTargetOptions, from_headers: Mapping[str, str], header: str, what: str
) -> str:
    configured = {
        REGION_HEADER: options.region,
        ROLE_HEADER: options.role_arn,
        S3_HEADER: options.s3_uri,
    }
    value = from_headers.get(header) or configured[header]
    if not value:
        raise _missing(options, header, what)
    return value


def _missing(options: AwsTargetOptions, header: str, what: str) -> FerryError:
    return invalid_argument(f"{what} is missing: set {_names(options, header)}")


def _names(options: AwsTargetOptions, header: str) -> str:
    """How it can be set: by the setting, and by the header where headers are taken."""
    setting = _setting(options, header)
    if options.own_keys is not None or not options.headers:
        return setting
    return f"{setting} or the header {header}"


def _setting(options: AwsTargetOptions, header: str) -> str:
    return f"{settings_prefix(options.name)}{_SETTINGS[header]}"
