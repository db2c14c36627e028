"""S3: moto's server with its authorisation on, behind a front that refuses what moto lets pass."""

from .app import ACCESS_KEY_ID, BUCKET, OVERWRITING_BUCKET, SECRET_ACCESS_KEY, s3_app

__all__ = ["ACCESS_KEY_ID", "BUCKET", "OVERWRITING_BUCKET", "SECRET_ACCESS_KEY", "s3_app"]
