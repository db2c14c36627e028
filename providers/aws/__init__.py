"""Calls to AWS: keys, signatures, S3, errors, and where calls go (region, role, S3 folder).

`s3` and `client` are what the callers use; botocore signs. Used by `bedrock`, and by the proxy for
a state store in a bucket.
"""
