import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.system_trust import system_trust, unread
from tests.test_proxy.certificates import certificate

# In its own process, since other tests have imported aiohttp.
AT_THE_START = """
import contextlib, ssl, sys
from proxy import __main__ as program
sys.argv[1:] = ["--version"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(sys.stderr):
    program.main()
from aiohttp import connector
for context in (connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED):
    print(context.cert_store_stats()["x509"])
print(ssl.create_default_context().cert_store_stats()["x509"])
"""


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only certificate that the system trusts."""
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return path


def test_importing_the_program_reads_no_certificates(system: Path) -> None:
    found = subprocess.run([sys.executable, "-c", AT_THE_START], check=True, capture_output=True)
    assert found.stdout.split() == [b"0", b"0", b"1"]


def test_contexts_trust_the_systems_certificates_after_the_block(system: Path) -> None:
    with unread():
        assert ssl.create_default_context().cert_store_stats()["x509"] == 0
    context = system_trust()
    assert context.cert_store_stats()["x509"] == 1
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_an_import_that_fails_leaves_the_certificates_readable(system: Path) -> None:
    with pytest.raises(ImportError), unread():
        raise ImportError
    assert system_trust().cert_store_stats()["x509"] == 1
