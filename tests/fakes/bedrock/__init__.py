"""A stand-in for Bedrock: model invocation jobs over S3, and the runtime that answers at once.

No emulator known has the jobs' operations (bedrock.md section 7).
"""

from ..aws_keys import EXPIRED_SESSION_TOKEN, LONG_TERM, REGION, TEMPORARY, KeyPair
from .app import bedrock_app
from .job_input import Quotas
from .serving import Serving, serving_bedrock
from .store import ROLE_ARN

__all__ = [
    "EXPIRED_SESSION_TOKEN",
    "LONG_TERM",
    "REGION",
    "ROLE_ARN",
    "TEMPORARY",
    "KeyPair",
    "Quotas",
    "Serving",
    "bedrock_app",
    "serving_bedrock",
]
