"""TLS on the main port, with a certificate that can be replaced while connections are open."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm

from proxy.background import beside
from proxy.settings import Settings
from proxy.settings_problems import variable
from proxy.threads import in_thread

# Their parsers take 15 ms to import, and only a listener with TLS needs them.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

# The files are read, not watched: that also works on network file systems, and where Kubernetes
# replaces a Secret by changing a symbolic link.
INTERVAL_SECONDS: Final = 10.0

_CERT: Final = variable("tls_cert")
_KEY: Final = variable("tls_key")

_log: Final = logging.getLogger(__name__)


class UnusableCertificate(Exception):
    """Says in one sentence, without a full stop, which file cannot be used, and why."""


def certificate_problem(settings: Settings) -> str | None:
    """Why the listener cannot use its files, if it has any. Reads them."""
    if settings.tls_files is None:
        return None
    try:
        _load(*settings.tls_files)
    except UnusableCertificate as error:
        return str(error)
    return None


def expiry(cert: Path) -> datetime:
    """Raises UnusableCertificate."""
    return _certificate(cert).not_valid_after_utc


@asynccontextmanager
async def listener_tls(settings: Settings) -> AsyncIterator[ssl.SSLContext | None]:
    """The context for the main port. Within the block the files are read again when they change.

    Raises OSError if they cannot be used at the start.
    """
    if settings.tls_files is None:
        yield None
        return
    try:
        tls = ListenerTls(*settings.tls_files)
    except UnusableCertificate as error:
        raise OSError(str(error)) from None
    async with beside(tls.watch()):
        yield tls.context


class ListenerTls:
    """Each handshake uses the newest files that could be read; open connections keep theirs."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises UnusableCertificate."""
        self._files = (cert, key)
        self._digest = _digest(self._files)
        self.context, _ = _load(cert, key)
        self._newest = self.context
        # Loading new files into a context that is in use is not atomic: if the second file is
        # broken, the context has a certificate with the key of another one.
        self.context.sni_callback = self._use_newest

    def _use_newest(self, connection: ssl.SSLObject, *_: object) -> None:
        """Called for each handshake, also if the client names no server."""
        connection.context = self._newest

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await in_thread(self.reload_if_changed)

    def reload_if_changed(self) -> None:
        """A broken file is logged once, and the earlier ones stay in use."""
        digest = _digest(self._files)
        if digest == self._digest:
            return
        self._digest = digest
        try:
            self._newest, certificate = _load(*self._files)
        except UnusableCertificate as error:
            _log.error("the earlier certificate stays in use: %s", error)
        else:
            expires = certificate.not_valid_after_utc.isoformat()
            _log.info("certificate reloaded", extra={"expires": expires})


def _digest(files: tuple[Path, Path]) -> bytes | None:
    """Changes with the content of the files; None if one cannot be read."""
    try:
        return sha256(b"".join(sha256(file.read_bytes()).digest() for file in files)).digest()
    except OSError:
        return None


def _load(cert: Path, key: Path) -> "tuple[ssl.SSLContext, Certificate]":
    # OpenSSL's errors do not say which file is wrong.
    certificate = _certificate(cert)
    if certificate.public_key() != _private_key(key).public_key():
        raise UnusableCertificate(f"{_KEY}: it is not the key of the first certificate of {_CERT}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except ssl.SSLError as error:
        raise UnusableCertificate(f"{_CERT}: OpenSSL refuses it: {error.reason}") from None
    except OSError as error:  # it was removed in the meantime
        raise UnusableCertificate(f"{_CERT}: cannot read {cert}: {error.strerror}") from None
    return context, certificate


def _certificate(cert: Path) -> "Certificate":
    """The first certificate, whose key and time have been read."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    try:
        certificate = load_pem_x509_certificates(_read(_CERT, cert))[0]
    except ValueError:
        raise UnusableCertificate(f"{_CERT}: there is no certificate in PEM in {cert}") from None
    try:
        certificate.public_key(), certificate.not_valid_after_utc
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableCertificate(
            f"{_CERT}: the certificate in {cert} is damaged, or has a kind of key that is not "
            "supported"
        ) from None
    return certificate


def _private_key(key: Path) -> "PrivateKeyTypes":
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    data = _read(_KEY, key)
    try:
        return load_pem_private_key(data, password=None)
    except TypeError:
        raise UnusableCertificate(
            f"{_KEY}: the key in {key} is encrypted with a password, which is not supported"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableCertificate(f"{_KEY}: there is no private key in PEM in {key}") from None


def _read(setting: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnusableCertificate(f"{setting}: cannot read {file}: {error.strerror}") from None
