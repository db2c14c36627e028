"""Google's own Gemini API: everything is relayed, resumable uploads with Google's URL sealed."""
