"""Google's Gemini API: calls are relayed; resumable uploads keep Google's URL in a sealed one."""
