"""AWS as Bedrock's provider speaks to it: signed calls over the one upstream, and S3."""
