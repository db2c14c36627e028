"""Whether AWS accepts a caller's keys, asked with lists of one element.

Uploads need S3 only, and batches need Bedrock's control plane, so each asks the service that it
works with. STS is never asked: not every caller can reach it.
"""

from providers.aws.s3 import S3
from providers.aws.target import AwsTargets
from providers.bedrock.jobs.operations import Jobs
from providers.credential import Caller
from providers.credential_proof import CredentialCheck


def s3_check(targets: AwsTargets, s3: S3) -> CredentialCheck:
    async def check(caller: Caller) -> None:
        target = await targets.of(caller)
        await s3.page(target, target.folder, limit=1)

    return check


def control_plane_check(targets: AwsTargets, jobs: Jobs) -> CredentialCheck:
    async def check(caller: Caller) -> None:
        await jobs.one(await targets.of(caller))

    return check
