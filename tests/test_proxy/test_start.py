"""What the program loads before it serves: each library takes time at every start, and memory."""

import subprocess
import sys

# In its own process, since tests load more. structlog would load rich, which is installed only
# with the tools for development.
LOADED = """
import sys
sys.modules["rich"] = None
before = set(sys.modules)
import proxy.command_line
for name in set(sys.modules) - before:
    if "." not in name and "site-packages" in (getattr(sys.modules[name], "__file__", None) or ""):
        print(name)
"""

OF_AIOHTTP = {
    *("aiohappyeyeballs", "aiohttp", "aiosignal", "attr", "frozenlist", "idna", "multidict"),
    *("propcache", "yarl"),
}
OF_PYDANTIC = {
    *("annotated_types", "dotenv", "pydantic", "pydantic_core", "pydantic_settings"),
    *("typing_extensions", "typing_inspection"),
}
OTHERS = {
    *("_cffi_backend", "cryptography", "defusedxml", "orjson", "prometheus_client", "structlog"),
    "tenacity",
}


def test_no_other_library_is_loaded_at_the_start() -> None:
    """In particular none of AWS, which takes a fifth of a second, and none for traces."""
    found = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True)
    assert set(found.stdout.decode().split()) == OF_AIOHTTP | OF_PYDANTIC | OTHERS
