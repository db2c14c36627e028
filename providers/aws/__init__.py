"""Calls to AWS: keys, signatures, S3, errors, and where calls go (region, role, S3 folder).

`s3` and `client` are what a provider uses; botocore signs. Used by `bedrock`.
"""
