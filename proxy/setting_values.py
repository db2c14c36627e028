"""Parses the values of settings.

Every function raises ValueError with a message that says what would be right. It never quotes the
value, which may be a secret in the wrong variable.
"""

import ipaddress
import os
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import (
    BeforeValidator,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from yarl import URL

from providers.aws.folder import is_role_arn, parse_s3_uri
from proxy.aws import aws_regions
from proxy.settings_problems import must_be_one_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_KEY_CHARACTERS: Final = 16

MOST_DURATION: Final = timedelta(days=36500)  # a calendar has room for this before and after now

_DURATION: Final = re.compile(r"([0-9]{1,9})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_BUCKET_URL: Final = re.compile(
    r"(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/(?!\.+(?:/|$))[A-Za-z0-9._-]+)+)/?"
)
_SSE: Final = re.compile(r"AES256|aws:kms(?::[A-Za-z0-9:/_-]{1,256})?")
_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]{0,40})://(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])"
    r"(?P<port>:[0-9]{1,5})?"
)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_KEY: Final = re.compile(r"[!-~]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def with_message(requirement: str) -> WrapValidator:
    """Replaces the message of pydantic's own checks by `requirement`."""

    def parse(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(requirement) from None

    return WrapValidator(parse)


def whole_number(least: int, most: int | None = None, unit: str = "") -> WrapValidator:
    limits = f"of at least {least}" if most is None else f"from {least} to {most}"
    requirement = f"must be a whole number{unit and f' of {unit}'} {limits}"

    def parse(value: object, handler: ValidatorFunctionWrapHandler) -> int:
        number: int | None = None
        # For Python, True and False are numbers.
        if not isinstance(value, bool):
            with suppress(ValidationError):
                number = handler(value)
        if number is None or number < least or (most is not None and number > most):
            raise ValueError(requirement)
        return number

    return WrapValidator(parse)


def one_of(*options: str) -> BeforeValidator:
    def check(value: object) -> object:
        if value not in options:
            raise ValueError(must_be_one_of(options, value))
        return value

    return BeforeValidator(check)


def canonical_name(name: str) -> str:
    """The form in which provider names are compared: case is ignored, and `_` equals `-`."""
    return name.lower().replace("_", "-")


def check_name(name: str, whose: str) -> str:
    """`name` in its canonical form; `whose` is the kind of thing that it names."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"a {whose}'s name may contain only letters, digits, - and _")
    return name


def parse_list(value: object) -> tuple[str, ...]:
    """`a,b` in the environment, a list of strings in TOML."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise ValueError("must be a comma-separated list")
    return tuple(item.strip() for item in items if item.strip())


def parse_networks(value: object) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(item) for item in parse_list(value))
    except ValueError:
        raise ValueError("must be a comma-separated list of networks, such as 10.0.0.0/8") from None


def parse_origins(value: object) -> tuple[str, ...]:
    """Origins as browsers send them: in lower case, without the scheme's default port."""
    origins = parse_list(value)
    return origins if origins == ("*",) else tuple(map(_parse_origin, origins))


def _parse_origin(value: str) -> str:
    match = _ORIGIN.fullmatch(value.lower())
    if match is None:
        raise ValueError(
            "must be * alone, or a comma-separated list of origins such as "
            "https://app.example:8443, without a path; null cannot be allowed"
        )
    port = match["port"] or ""
    default = port == _DEFAULT_PORTS.get(match["scheme"])
    return match[0].removesuffix(port) if default else match[0]


def parse_secret_keys(value: object) -> tuple[SecretStr, ...] | None:
    """The newest key first, then the older ones that are still accepted."""
    keys = parse_list(value)
    if any(len(key) < SECRET_KEY_CHARACTERS for key in keys):
        raise ValueError(f"each key must have at least {SECRET_KEY_CHARACTERS} characters")
    if any(not _is_unicode(key) for key in keys):
        raise ValueError(
            "each key must be UTF-8 text, such as the output of `openssl rand -hex 32`"
        )
    return tuple(SecretStr(key) for key in keys) or None


def _is_unicode(text: str) -> bool:
    """False for bytes of the environment that are not UTF-8: Python makes them surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_key(text: str) -> bool:
    """Whether it has only characters that a key in a header can have."""
    return _KEY.fullmatch(text) is not None


def parse_key(value: object) -> SecretStr:
    """The proxy's own key at a provider. Other characters cannot be sent in a header."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not is_key(text):
        raise ValueError("must be a key: visible ASCII characters, without spaces")
    return SecretStr(text)


def parse_region(value: object) -> str:
    if not isinstance(value, str) or value not in aws_regions():
        raise ValueError("must be a region of AWS, such as us-east-1")
    return value


def parse_role_arn(value: object) -> str:
    if not isinstance(value, str) or not is_role_arn(value):
        raise ValueError("must be the ARN of a role, such as arn:aws:iam::123456789012:role/NAME")
    return value


def parse_bedrock_s3_uri(value: object) -> str:
    """Without a trailing slash."""
    if not isinstance(value, str) or parse_s3_uri(value) is None:
        raise ValueError(
            "must be s3://bucket or s3://bucket/prefix; a prefix has letters, digits and -!_*'()."
        )
    return value.rstrip("/")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_every_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def parse_duration(value: object) -> timedelta:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not int(match[1]):
        raise ValueError("must be a duration such as 30d, 24h, 15m or 90s")
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if duration > MOST_DURATION:
        raise ValueError(f"must be at most {render_duration(MOST_DURATION)}")
    return duration


def render_duration(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def parse_path(value: object) -> Path:
    """The path of a file; no operating system has one with these characters."""
    if not isinstance(value, str | Path) or _CONTROL.search(str(value)):
        raise ValueError("must be the path of a file, without control characters")
    return Path(value)


def parse_http_url(value: object) -> URL:
    """An absolute address without a trailing slash."""
    url = _parse_url(value)
    if url.scheme not in {"http", "https"} or not url.host or url.query_string or url.fragment:
        raise ValueError("must be an address such as https://host/path, without query or fragment")
    if url.user or url.password:
        raise ValueError("must not contain a user name or a password")
    return url.with_path(url.raw_path.rstrip("/"), encoded=True)


def parse_state_url(value: object) -> str:
    """Without a trailing slash for a bucket, whose prefix protects other objects from sweeps."""
    if isinstance(value, str) and (bucket := _BUCKET_URL.fullmatch(value)):
        return bucket[1]
    url = _parse_url(value)
    if url.scheme != "file" or url.host or not url.path.startswith("/"):
        raise ValueError("must be file:///directory, with an absolute path, or s3://bucket/prefix")
    return str(url)


def parse_sse(value: object) -> str:
    if not isinstance(value, str) or not _SSE.fullmatch(value):
        raise ValueError("must be AES256, aws:kms or aws:kms:KEY, with the id or ARN of a KMS key")
    return value


def _parse_url(value: object) -> URL:
    """An empty URL if the value is not a URL; every check then refuses it."""
    try:
        url = URL(value) if isinstance(value, str | URL) else URL()
    except ValueError:
        return URL()
    return URL() if " " in (url.host or "") or _CONTROL.search(f"{url.host}{url.path}") else url


def default_state_url() -> str:
    """Empty, which is then refused as a value, if the user has no home directory."""
    try:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        return ""
    return (Path(home) / "genai-ferry").absolute().as_uri()
