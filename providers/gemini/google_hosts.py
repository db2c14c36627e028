"""Google's own hosts of the Gemini API, also for uploads and regions."""

import re
from typing import Final

GOOGLE_HOST: Final = re.compile(r"generativelanguage[a-z0-9.-]{0,64}\.googleapis\.com")
