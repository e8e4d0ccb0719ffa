"""The HTTP server in front: sockets, threads and keep-alive around `gateway`, and the runner's own routes."""

import contextlib
import errno
import json
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from local.gateway import (
    BAD_REQUEST,
    HEADERS_TOO_LARGE,
    MOST_BODY_BYTES,
    MOST_HEADER_BYTES,
    TOO_LARGE,
    Request,
    Response,
    own_answer,
)

MOST_CONNECTIONS = 256
IDLE_SECONDS = 60
MOST_DRAINED_BYTES = 64 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1")


class Front:
    """Serves on 127.0.0.1 and, where there is one, on ::1: browsers take `localhost` for either."""

    def __init__(self, port: int, answer: Callable[[Request], Response]) -> None:
        self._servers = _bind(port)
        self._is_serving = False
        self.port = self._servers[0].server_port
        for server in self._servers:
            server.answer = answer

    def start(self) -> None:
        self._is_serving = True
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.1,), name="front", daemon=True).start()

    def stop(self) -> None:
        for server in self._servers:
            if self._is_serving:
                server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    answer: Callable[[Request], Response]

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's: it looks up the host's name, which can take seconds without a network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _bind(port: int) -> list[_Server]:
    for attempt in range(20):
        server = _Server("127.0.0.1", port)
        try:
            return [server, _Server("::1", server.server_port)]
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return [server]  # no IPv6 here
            server.server_close()
            if port or attempt == 19:
                raise
    raise AssertionError


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS
    server: _Server

    def _serve(self) -> None:
        response = self._refusal() or self.server.answer(self._request())
        self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _request(self) -> Request:
        return Request(
            method=self.command,
            target=self.path,
            protocol=self.request_version,
            headers=self.headers.items(),
            body=self._body,
            source_ip=self.client_address[0],
        )

    def _refusal(self) -> Response | None:
        """The gateway's limits. Reads the body, or what there is of it, so that the refusal can be read in turn."""
        self._body = b""
        if sum(len(name) + len(value) for name, value in self.headers.items()) + len(self.path) > MOST_HEADER_BYTES:
            self.close_connection = True
            return HEADERS_TOO_LARGE
        body = bytearray()
        try:
            for piece in self._pieces():
                if len(body) <= MOST_BODY_BYTES:
                    body += piece
        except ValueError:
            self.close_connection = True
            return BAD_REQUEST
        if len(body) > MOST_BODY_BYTES:
            self.close_connection = True
            return TOO_LARGE
        self._body = bytes(body)
        return None

    def _pieces(self) -> Iterator[bytes]:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            yield from self._read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            yield from self._read(size)
            self.rfile.readline(64)
        while self.rfile.readline(MOST_HEADER_BYTES).strip():
            pass

    def _read(self, length: int) -> Iterator[bytes]:
        if not 0 <= length <= MOST_DRAINED_BYTES:
            raise ValueError("not a length that anybody waits for")
        while length > 0 and (piece := self.rfile.read(min(length, 65536))):
            length -= len(piece)
            yield piece

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is not HTTP gets the gateway's own kind of answer."""
        self.close_connection = True
        self._send(own_answer(code, message or explain or "Bad Request"))

    def _send(self, response: Response) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            if response.status >= 200 and response.status not in (204, 304):
                self.send_header("content-length", str(len(response.body)))
            if self.close_connection:
                self.send_header("connection", "close")
            self.end_headers()
            if self.command != "HEAD" and response.status not in (204, 304):
                self.wfile.write(response.body)
            self.wfile.flush()

    def version_string(self) -> str:
        return "local"

    def log_message(self, *_: object) -> None: ...


class OwnRoutes:
    """`/_local/...`: the runner's, not the tool's. For programs on this machine; a web page cannot call them."""

    PREFIX = "/_local/"

    def __init__(self, describe: Callable[[], Any], schedules: Callable[[], Any], fire: Callable[[str], Any]) -> None:
        self._functions, self._schedules, self._fire = describe, schedules, fire

    def answer(self, request: Request) -> Response:
        if not _is_from_here(request):
            return _json(403, {"message": "only for programs on this machine"})
        match (request.method, request.path.removeprefix(self.PREFIX).split("/")):
            case ("GET", ["functions"]):
                return _json(200, self._functions())
            case ("GET", ["schedules"]):
                return _json(200, self._schedules())
            case ("POST", ["schedules", name]):
                started = time.monotonic()
                result = self._fire(name)
                if result is None:
                    return _json(404, {"message": f"no schedule fires {name}"})
                return _json(200 if result["outcome"] == "answered" else 500, result | {"seconds": _since(started)})
        return _json(404, {"message": "no such route of the runner"})


def _is_from_here(request: Request) -> bool:
    host = urlsplit(f"//{request.header('host')}").hostname
    from_page = request.header("origin") or request.header("sec-fetch-site") not in ("", "none", "same-origin")
    proxied = request.header("x-forwarded-for") or request.header("forwarded")
    return request.source_ip in LOOPBACK and host in ("localhost", *LOOPBACK) and not from_page and not proxied


def _json(status: int, value: Any) -> Response:
    body = json.dumps(value, indent=1).encode() + b"\n"
    return Response(status=status, headers=[("content-type", "application/json")], body=body)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
