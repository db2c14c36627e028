"""AwsTargets for the tests of calls to AWS."""

from typing import Any

from yarl import URL

from providers.aws.keys import AwsKeys
from providers.aws.target import AwsTarget, AwsTargetOptions, AwsTargets
from providers.credential import Caller, Credential

KEY = "AKIAOFSOMEBODY:a/secret+key=:a-session-token"
REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/batch"


def options(**said: Any) -> AwsTargetOptions:
    defaults: dict[str, Any] = {
        "name": "bedrock",
        "base_url": None,
        "runtime_url": None,
        "s3_endpoint_url": None,
        "region": REGION,
        "role_arn": ROLE,
        "s3_uri": "s3://bucket/some/prefix",
        "headers": True,
        "dns_suffixes": {REGION: "amazonaws.com", "us-east-1": "amazonaws.com"},
    }
    return AwsTargetOptions(**{**defaults, **said})


def caller(key: str = KEY, **headers: str) -> Caller:
    """`headers` with `_` for `-` in their names."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Caller(Credential(api_key=key), "0123456789abcdef" * 2, named)


async def aws_target(asked: Caller | None = None, **said: Any) -> AwsTarget:
    return await AwsTargets(options(**said)).of(asked or caller())


async def own_keys() -> AwsKeys:
    return AwsKeys("AKIAOFTHEPROXY", "the-own-secret")


ENDPOINT = URL("http://127.0.0.1:9000/s3")
