"""S3: moto's server with authorisation, behind a front with S3's further refusals."""

from ..aws_keys import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from .app import BUCKET, FILES_BUCKET, OVERWRITING_BUCKET, s3_app

__all__ = [
    "ACCESS_KEY_ID",
    "BUCKET",
    "FILES_BUCKET",
    "OVERWRITING_BUCKET",
    "SECRET_ACCESS_KEY",
    "s3_app",
]
