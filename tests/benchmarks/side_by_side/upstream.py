"""An upstream that costs almost nothing: it discards what is uploaded and sends zeros.

`python -m tests.benchmarks.side_by_side.upstream [--certificate FILE] [--rate N]` prints a line of
JSON with its URL. It reads at most N bytes a second of each connection.
It speaks as much as the proxy needs of the upload protocols of Gemini, of OpenAI and of S3
(`upload_protocols.py`). One thread a connection and blocking sockets with large buffers: an event
loop would be the bottleneck.
"""

import argparse
import json
import re
import socketserver
import ssl
import time
from collections.abc import Iterator
from typing import Final

from tests.benchmarks.side_by_side.upload_protocols import Asked, Protocols

PIECE: Final = 1 << 20
_SIZE: Final = re.compile(r"/download/v1beta/files/b([0-9]+)")


class _Connection(socketserver.StreamRequestHandler):
    rbufsize = 64 << 10
    disable_nagle_algorithm = True
    server: "_Server"

    def setup(self) -> None:
        if self.server.tls is not None:  # in this connection's own thread
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        self._piece = memoryview(bytearray(PIECE))

    def handle(self) -> None:
        while line := self.rfile.readline():
            method, target, _ = line.decode().split()
            headers = dict(self._fields())
            length = int(headers.get("content-length", 0))
            short = length if "json" in headers.get("content-type", "") else 0
            body = self.rfile.read(short)
            self._discard(length - short)
            size = _SIZE.match(target)
            if size is not None:
                self._send_file(int(size[1]))
            else:
                asked = Asked(method, target, headers, length, body, self.server.url)
                self._answer(*self.server.protocols.answer(asked))

    def _fields(self) -> Iterator[tuple[str, str]]:
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            yield name.lower(), value.strip()

    def _discard(self, left: int) -> None:
        while left:
            received = self.rfile.readinto(self._piece[: min(left, PIECE)])
            if not received:
                raise ConnectionError("a body ended early")
            if self.server.rate is not None:
                time.sleep(received / self.server.rate)
            left -= received

    def _answer(self, lines: list[str], body: bytes) -> None:
        self._head(*lines)
        self.request.sendall(body)

    def _send_file(self, left: int) -> None:
        self._head(f"Content-Length: {left}", "Content-Type: application/octet-stream")
        while left:
            size = min(left, PIECE)
            self.request.sendall(self._piece[:size])
            left -= size

    def _head(self, *lines: str) -> None:
        self.request.sendall("\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, certificate: str | None, rate: float | None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.protocols = Protocols()
        self.rate = rate
        self.tls: ssl.SSLContext | None = None
        if certificate is not None:
            self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.tls.load_cert_chain(certificate)
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self.server_address[1]}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate")
    parser.add_argument("--rate", type=float)
    with _Server(**vars(parser.parse_args())) as server:
        print(json.dumps({"url": server.url}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
