"""An upstream that costs almost nothing: it discards what is uploaded and sends zeros.

`python -m tests.benchmarks.side_by_side.upstream` prints a line of JSON with its URL. It speaks as
much of Gemini's upload protocol as the proxy needs. One thread a connection and blocking sockets
with large buffers: an event loop would be the bottleneck.
"""

import json
import re
import socketserver
from collections.abc import Iterator, Mapping
from typing import Final

PIECE: Final = 1 << 20
_SIZE: Final = re.compile(r"/files/b([0-9]+)")


class _Connection(socketserver.StreamRequestHandler):
    rbufsize = 64 << 10
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._piece = memoryview(bytearray(PIECE))

    def handle(self) -> None:
        while line := self.rfile.readline():
            target = line.split()[1].decode()
            headers = dict(self._fields())
            self._discard(int(headers.get("content-length", 0)))
            size = _SIZE.search(target)
            if size is not None:
                self._send_file(int(size[1]))
            else:
                self._answer(*self._upload(headers.get("x-goog-upload-command", "")))

    def _fields(self) -> Iterator[tuple[str, str]]:
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            yield name.lower(), value.strip()

    def _discard(self, left: int) -> None:
        while left:
            received = self.rfile.readinto(self._piece[: min(left, PIECE)])
            if not received:
                raise ConnectionError("a body ended early")
            left -= received

    def _upload(self, command: str) -> tuple[Mapping[str, str], object]:
        if command == "start":
            host, port = self.request.getsockname()
            url = f"http://{host}:{port}/upload/v1beta/files?upload_id=u"
            return {"Status": "active", "URL": url, "Control-URL": url}, {}
        if "finalize" in command:
            return {"Status": "final"}, {"file": {"name": "files/b0", "state": "ACTIVE"}}
        return {"Status": "active"}, {}

    def _answer(self, upload: Mapping[str, str], document: object) -> None:
        body = json.dumps(document).encode()
        lines = [f"X-Goog-Upload-{name}: {value}" for name, value in upload.items()]
        self._head(len(body), "application/json", *lines)
        self.request.sendall(body)

    def _send_file(self, left: int) -> None:
        self._head(left, "application/octet-stream")
        while left:
            size = min(left, PIECE)
            self.request.sendall(self._piece[:size])
            left -= size

    def _head(self, length: int, content_type: str, *lines: str) -> None:
        usual = (f"Content-Length: {length}", f"Content-Type: {content_type}")
        self.request.sendall("\r\n".join(("HTTP/1.1 200 OK", *usual, *lines, "", "")).encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    with _Server(("127.0.0.1", 0), _Connection) as server:
        host, port = server.server_address[:2]
        print(json.dumps({"url": f"http://{host!s}:{port}"}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
