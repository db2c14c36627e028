"""The Gemini provider: everything is relayed unchanged except resumable uploads."""

import re
from typing import Final

from yarl import URL

from providers.gemini.creation import RepeatableCreations
from providers.gemini.credential_check import google_check
from providers.gemini.google_hosts import GOOGLE_HOST
from providers.gemini.headers import PASSED, SCOPING
from providers.gemini.relay import GeminiRelay
from providers.gemini.uploads import GeminiUploads
from providers.memory import MemoryBudget
from providers.observation import UNOBSERVED, Observer
from providers.provider import FileUris, KeyForm, NameForms, Provider
from providers.retries import Retries
from providers.state import State
from providers.upstream import Upstream

KIND: Final = "gemini"
DEFAULT_BASE_URL: Final = "https://generativelanguage.googleapis.com"

# gemini.md section 4. Many other ids look like this, so a name of this form proves nothing.
_ID: Final = re.compile(r"[a-z0-9-]{1,40}")

_ANYTHING: Final = re.compile(r".*", re.DOTALL)

NAMES: Final = NameForms(
    files=_ID,
    batches=_ID,
    distinctive=False,
    # With any value: Google may accept more spellings than the names. Unverified: the spelling of
    # the file search tool's stores.
    shared=dict.fromkeys(
        ("cachedContent", "cached_content", "fileSearchStoreNames", "file_search_store_names"),
        _ANYTHING,
    ),
    file_uris=FileUris(
        host=GOOGLE_HOST,
        form=re.compile(
            r"https://generativelanguage\.googleapis\.com/v[0-9][a-z0-9]*/files/([^/:?#%\\\s]+)"
        ),
    ),
)

KEY_FORMS: Final = (
    KeyForm(re.compile(r"AIza[\w-]{35}", re.ASCII), "a Google API key"),
    KeyForm(re.compile(r"ya29\.\S+"), "a Google access token"),
)


def gemini(
    name: str,
    base_url: URL,
    upstream: Upstream,
    state: State,
    memory: MemoryBudget,
    inline_limit: int,
    observer: Observer = UNOBSERVED,
) -> Provider:
    """`inline_limit` in bytes bounds the bodies that must be in memory as a whole."""
    check = google_check(name, base_url, upstream)
    retries = Retries(observer)
    return Provider(
        name=name,
        kind=KIND,
        names=NAMES,
        passed_headers=PASSED,
        scoping_headers=SCOPING,
        key_forms=KEY_FORMS,
        keeps_state=False,
        uploads=GeminiUploads(name, base_url, upstream, state, retries),
        upload_check=check,
        batch_check=check,
        relay=RepeatableCreations(
            name, GeminiRelay(base_url, upstream, retries), state, memory, inline_limit
        ),
    )
