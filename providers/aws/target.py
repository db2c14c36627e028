"""The target of a caller's calls: keys, region, role and S3 prefix, from settings or headers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from yarl import URL

from providers.aws.folder import Folder, is_role_arn, parse_s3_uri
from providers.aws.keys import KeySource, always, parse_keys
from providers.credential import Caller
from providers.errors import FerryError, invalid_argument

REGION_HEADER: Final = "x-ferry-aws-region"
ROLE_HEADER: Final = "x-ferry-bedrock-role-arn"
S3_HEADER: Final = "x-ferry-bedrock-s3-uri"
PASSED_HEADERS: Final = frozenset({REGION_HEADER, ROLE_HEADER, S3_HEADER})
# Headers that select where files are. The role only decides who reads them.
SCOPING_HEADERS: Final = frozenset({REGION_HEADER, S3_HEADER})

_SETTINGS: Final[Mapping[str, str]] = {
    REGION_HEADER: "REGION",
    ROLE_HEADER: "ROLE_ARN",
    S3_HEADER: "S3_URI",
}
_TENANT_ID_LENGTH: Final = 16


class S3Target(Protocol):
    """Where buckets are, and the keys that sign calls to them."""

    @property
    def keys(self) -> KeySource: ...

    @property
    def region(self) -> str: ...

    def bucket_url(self, bucket: str) -> URL:
        """The URL of `bucket`; keys are appended to its path."""


@dataclass(frozen=True, slots=True)
class AwsTargetOptions:
    """The settings of one upstream. `dns_suffixes` lists every region.

    `own_keys` sign in place of the caller's. `isolated`: whether callers are tenants that share
    them. `headers`: whether a caller may choose region, role and prefix by headers.
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
    own_keys: KeySource | None = None
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class AwsTarget:
    """The target of one call. `tenant_id` is empty except for tenants on the proxy's own keys."""

    keys: KeySource = field(repr=False)
    region: str
    tenant_id: str
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
            self._options, self._from_headers, ROLE_HEADER, "the role with which Bedrock reads S3"
        )
        if not is_role_arn(role):
            raise invalid_argument(
                f"{_ways_to_set(self._options, ROLE_HEADER)}: not the ARN of a role "
                "(arn:aws:iam::ACCOUNT:role/NAME)"
            )
        return role

    @property
    def folder(self) -> Folder:
        """The folder of this caller's files and jobs."""
        what = "the s3://bucket/prefix for files and batches"
        folder = parse_s3_uri(_required(self._options, self._from_headers, S3_HEADER, what))
        if folder is None:
            raise invalid_argument(
                f"{_ways_to_set(self._options, S3_HEADER)}: not s3://bucket/prefix in the "
                "characters that Bedrock accepts"
            )
        return folder / self.tenant_id if self.tenant_id else folder

    def may_read(self, uri: str) -> bool:
        """Whether a request may name the object at `uri`.

        It is read with these keys or with the role. On the proxy's own keys, a caller may name
        only objects in its own folder.
        """
        return self._options.own_keys is None or uri.startswith(self.folder.uri())

    def bucket_url(self, bucket: str) -> URL:
        if self._options.s3_endpoint_url is not None:
            return self._options.s3_endpoint_url.joinpath(bucket)
        return public_bucket(f"s3.{self.region}.{self._options.dns_suffixes[self.region]}", bucket)

    def _public(self, service: str) -> URL:
        suffix = self._options.dns_suffixes[self.region]
        return URL(f"https://{service}.{self.region}.{suffix}")


class AwsTargets:
    """Determines the target of a caller."""

    def __init__(self, options: AwsTargetOptions) -> None:
        self._options = options

    async def of(self, caller: Caller) -> AwsTarget:
        """Raises INVALID_ARGUMENT, UNAUTHENTICATED, and the errors of `KeySource`."""
        options = self._options
        from_headers = {
            name: caller.headers[name] for name in _SETTINGS if caller.headers.get(name)
        }
        if from_headers and (options.own_keys is not None or not options.headers):
            raise invalid_argument(
                f"the header {min(from_headers)} is not accepted here: the proxy's setting "
                f"{_setting(options, min(from_headers))} decides"
            )
        keys = options.own_keys or always(parse_keys(caller.credential))
        await keys()  # so that missing keys are found before anything is done
        region = _required(options, from_headers, REGION_HEADER, "the AWS region")
        if region not in options.dns_suffixes:
            raise invalid_argument(
                f"{_ways_to_set(options, REGION_HEADER)}: {region[:40]!r} is not an AWS region"
            )
        tenant_id = caller.tenant[:_TENANT_ID_LENGTH] if options.isolated else ""
        return AwsTarget(keys, region, tenant_id, options, from_headers)


def public_bucket(host: str, bucket: str) -> URL:
    """The URL of `bucket` at the `host` of AWS."""
    # The wildcard certificate of S3 does not cover a bucket name with dots.
    return URL(f"https://{host}/{bucket}" if "." in bucket else f"https://{bucket}.{host}")


def settings_prefix(name: str) -> str:
    """The prefix of the settings of the upstream called `name`."""
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
    return invalid_argument(f"{what} is missing: set {_ways_to_set(options, header)}")


def _ways_to_set(options: AwsTargetOptions, header: str) -> str:
    """The setting, and the header if headers are accepted."""
    setting = _setting(options, header)
    if options.own_keys is not None or not options.headers:
        return setting
    return f"{setting} or the header {header}"


def _setting(options: AwsTargetOptions, header: str) -> str:
    return f"{settings_prefix(options.name)}{_SETTINGS[header]}"
