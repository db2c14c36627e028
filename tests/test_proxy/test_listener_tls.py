"""TLS on the main port, with real connections and real files."""

import asyncio
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession, TCPConnector
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from proxy.listener_tls import ListenerTls, UnusableCertificate, expiry
from tests.test_proxy.certificates import certificate
from tests.test_proxy.ferry_process import FerryProcess, ferry, ferry_process

# The interval is too long for a test.
IMPATIENT = (
    "import proxy.listener_tls as tls; tls.INTERVAL_SECONDS = 0.05;"
    "from proxy.command_line import main; raise SystemExit(main())"
)


def serial(cert: Path) -> int:
    return x509.load_pem_x509_certificate(cert.read_bytes()).serial_number


def trusting(*certs: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for cert in certs:
        context.load_verify_locations(cert)
    return context


# --- reading the files -----------------------------------------------------------------------


def with_password(file: Path) -> Path:
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    encrypted = file.with_name("encrypted.pem")
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    return encrypted


def test_an_unusable_file_is_named(tmp_path: Path) -> None:
    good, other = certificate(tmp_path), certificate(tmp_path, "other")
    absent, empty, encrypted = tmp_path / "absent", tmp_path / "empty", with_password(good)
    empty.touch()
    expected = [
        (absent, good, f"FERRY_TLS_CERT: cannot read {absent}: No such file or directory"),
        (good, absent, f"FERRY_TLS_KEY: cannot read {absent}: No such file or directory"),
        (empty, good, f"FERRY_TLS_CERT: there is no certificate in PEM in {empty}"),
        (good, empty, f"FERRY_TLS_KEY: there is no private key in PEM in {empty}"),
        (
            good,
            encrypted,
            f"FERRY_TLS_KEY: the key in {encrypted} is encrypted with a password, which is not "
            "supported",
        ),
        (
            good,
            other,
            "FERRY_TLS_KEY: it is not the key of the first certificate of FERRY_TLS_CERT",
        ),
    ]
    for cert, key, message in expected:
        with pytest.raises(UnusableCertificate) as caught:
            ListenerTls(cert, key)
        assert str(caught.value) == message


# Its curve, brainpoolP160r1, is not supported.
OTHER_CURVE = """
-----BEGIN CERTIFICATE-----
MIIBPzCB/qADAgECAhRwbXFsunt0P43mFsOb89bEBypNoDAKBggqhkjOPQQDAjAN
MQswCQYDVQQDDAJlYzAeFw0yNjExMjkxNTI2MDZaFw0yNjEyMDIxNTI2MDZaMA0x
CzAJBgNVBAMMAmVjMEIwFAYHKoZIzj0CAQYJKyQDAwIIAQEBAyoABLOZb5sJ9252
Wb+wCrxisc0Pfq+a174/Q/8TPpNT7slasse8Mhz2CTKjUzBRMB0GA1UdDgQWBBRr
A/rcNS/X67TtovsJwstH8w5L0zAfBgNVHSMEGDAWgBRrA/rcNS/X67TtovsJwstH
8w5L0zAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCAzAAMC0CFDyZJRhBTZOK
LWUrDic1k9qIECKOAhUA58wyg9R4f0p3vOBxHTtrqVoFdcM=
-----END CERTIFICATE-----
"""


def test_a_certificate_with_an_unsupported_key_is_named(tmp_path: Path) -> None:
    cert = tmp_path / "cert.pem"
    cert.write_text(OTHER_CURVE)
    good = certificate(tmp_path)
    with pytest.raises(UnusableCertificate) as caught:
        ListenerTls(cert, good)
    assert str(caught.value) == (
        f"FERRY_TLS_CERT: the certificate in {cert} is damaged, or has a kind of key that is not "
        "supported"
    )


def test_the_expiry_is_read(tmp_path: Path) -> None:
    days = [expiry(certificate(tmp_path, days=n)) for n in (1, 3)]
    assert (days[1] - days[0]).days == 2


# --- replacing the files ---------------------------------------------------------------------


@asynccontextmanager
async def echo_server(tls: ListenerTls) -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=tls.context)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Connection:
    """A client's connection to the server; `certificate` is the serial number that it got."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.certificate = int(writer.get_extra_info("peercert")["serialNumber"], 16)

    async def works(self) -> bool:
        self._writer.write(b"line\n")
        return await self._reader.readline() == b"line\n"

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def connected(port: int, *trusted: Path) -> AsyncIterator[Connection]:
    streams = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(*trusted))
    connection = Connection(*streams)
    yield connection
    await connection.close()


async def test_new_files_are_used_and_open_connections_continue(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    used = tmp_path / "used.pem"
    used.write_bytes(first.read_bytes())
    tls = ListenerTls(used, used)
    async with echo_server(tls) as port, connected(port, first) as before:
        assert before.certificate == serial(first)
        used.write_bytes(second.read_bytes())
        tls.reload_if_changed()
        assert await before.works()
        async with connected(port, second) as after:
            assert after.certificate == serial(second)
            assert await after.works()
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connected(port, first):
                pass
    tls.reload_if_changed()
    [line] = caplog.records
    assert line.getMessage() == "certificate reloaded"


@pytest.mark.parametrize(
    "broken", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA", OTHER_CURVE.encode(), None]
)
async def test_a_broken_file_is_logged_once_and_the_earlier_one_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: bytes | None
) -> None:
    good, used = certificate(tmp_path), tmp_path / "used.pem"
    used.write_bytes(good.read_bytes())
    tls = ListenerTls(used, used)
    if broken is None:
        used.unlink()
    else:
        used.write_bytes(broken)
    for _ in range(3):
        tls.reload_if_changed()
    [line] = caplog.records
    assert line.getMessage().startswith("the earlier certificate stays in use: FERRY_TLS_CERT: ")
    async with echo_server(tls) as port, connected(port, good) as connection:
        assert connection.certificate == serial(good)


async def test_a_certificate_and_key_that_are_replaced_one_after_the_other(tmp_path: Path) -> None:
    """In between, neither pair is complete: the earlier certificate is served with its own key."""
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    cert.write_bytes(first.read_bytes())
    key.write_bytes(first.read_bytes())
    tls = ListenerTls(cert, key)
    async with echo_server(tls) as port:
        cert.write_bytes(second.read_bytes())
        tls.reload_if_changed()
        async with connected(port, first) as connection:
            assert connection.certificate == serial(first)
        key.write_bytes(second.read_bytes())
        tls.reload_if_changed()
        async with connected(port, second) as connection:
            assert connection.certificate == serial(second)


# --- in processes ----------------------------------------------------------------------------


@asynccontextmanager
async def serving_tls(directory: Path, cert: Path, **more: str) -> AsyncIterator[FerryProcess]:
    settings = {
        "FERRY_PORT": "0",
        "FERRY_TLS_CERT": str(cert),
        "FERRY_TLS_KEY": str(cert),
        "FERRY_STATE_URL": (directory / "state").as_uri(),
        **more,
    }
    async with ferry_process("-c", IMPATIENT, environment=settings) as process:
        yield process


async def test_every_worker_serves_tls_and_reloads_the_files(tmp_path: Path) -> None:
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    used = tmp_path / "used.pem"
    used.write_bytes(first.read_bytes())
    async with serving_tls(tmp_path, used, FERRY_WORKERS="2") as process:
        urls = [(await process.event("listening"))["url"] for _ in range(2)]
        assert urls[0] == urls[1]
        assert urls[0].startswith("https://127.0.0.1:")
        connector = TCPConnector(ssl=trusting(first), limit=1)
        async with ClientSession(connector=connector) as before:
            async with before.get(f"{urls[0]}/healthz") as alive:
                assert alive.status == 200
            replacement = tmp_path / "replacement.pem"
            replacement.write_bytes(second.read_bytes())
            os.replace(replacement, used)  # noqa: PTH105 - as a tool for certificates does
            for _ in range(2):
                await process.event("certificate reloaded")
            async with before.get(f"{urls[0]}/healthz") as alive:  # on the same connection
                assert alive.status == 200
        for _ in range(4):  # the kernel chooses the worker of each connection
            async with ClientSession(connector=TCPConnector(ssl=trusting(second))) as after:
                async with after.get(f"{urls[0]}/healthz") as alive:
                    assert alive.status == 200
        process.signal(signal.SIGTERM)
        assert await process.exit_code() == 0


async def test_plain_http_on_a_tls_port_gets_no_answer_and_admin_stays_plain(
    tmp_path: Path,
) -> None:
    cert = certificate(tmp_path)
    async with serving_tls(tmp_path, cert, FERRY_ADMIN_PORT="0") as process:
        listening = await process.event("listening")
        assert listening["admin_url"].startswith("http://127.0.0.1:")
        async with ClientSession() as session:
            async with session.get(f"{listening['admin_url']}/readyz") as ready:
                assert ready.status == 200
            plain = listening["url"].replace("https:", "http:")
            with pytest.raises(ClientConnectionError):
                await session.get(f"{plain}/genai/v1beta/files")
        process.signal(signal.SIGTERM)
        assert await process.exit_code() == 0


def test_an_unusable_certificate_stops_start_and_check(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path), tmp_path / "absent.pem"
    settings = {
        "FERRY_TLS_CERT": str(cert),
        "FERRY_TLS_KEY": str(key),
        "FERRY_STATE_URL": (tmp_path / "state").as_uri(),
    }
    message = f"FERRY_TLS_KEY: cannot read {key}: No such file or directory"
    checked = ferry("check", **settings)
    assert (checked.returncode, checked.stderr) == (1, f"genai-ferry: {message}\n")
    started = ferry(**settings)
    assert started.returncode == 1
    assert message in started.stderr
