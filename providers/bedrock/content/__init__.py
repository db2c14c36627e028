"""Gemini's requests to Bedrock's records and back: Converse, Claude's own schema, embeddings."""
