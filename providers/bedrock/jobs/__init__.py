"""Batches that are model invocation jobs at Bedrock."""
