"""A server on loopback that speaks the chat completions contract, as vLLM and llama.cpp do: SSE, usage at the end.

Every knob makes it misbehave in one way, at the socket; set them on the running server. `script` makes it answer one
thing after the other, tool calls among them, for agents.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Call:
    """A tool call as the server sends it; `arguments` is the text of a JSON object, or not."""

    name: str
    arguments: str = "{}"
    id: str = ""


class Completions(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, tls: Path | None = None) -> None:
        """`tls`: a file with a certificate and its key; it then speaks https."""
        super().__init__(("127.0.0.1", 0), _Answer)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self.tls and tls:
            self.tls.load_cert_chain(tls)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []  # of each request
        self.words = ["Paris ", "is ", "the ", "capital."]
        self.script: list[list[str] | list[Call]] = []  # what each request gets, words or calls; then `words`
        self.models: list[dict[str, Any]] = [{"id": "some-model", "object": "model", "max_model_len": 4096}]
        self.status = 200
        self.statuses: list[int] = []  # of the next requests; then `status`
        self.error: Any = {"error": {"message": "No.\nReally.", "type": "x", "code": None}}  # str: sent as HTML
        self.error_headers: dict[str, str] = {"retry-after-ms": "1"}
        self.key = ""  # asked for, where it is not empty
        self.page = ""  # HTML instead of a stream, status 200
        self.pause = 0.0  # seconds after each word
        self.silence = 0.0  # seconds after the first word
        self.silence_before_headers = 0.0
        self.silence_before_words = 0.0
        self.pings = False  # `: ping` lines while silent after the headers
        self.cut_after: int | None = None  # words, then the connection breaks
        self.raw: list[bytes] | None = None  # sent as they are, in place of every event
        self.finish: str | None = "stop"
        self.done = True  # says [DONE]
        self.usage = True
        self.chunked = False  # HTTP/1.1 with chunks, as most servers do; else the connection's end is the end
        self.idle: float | None = None  # seconds after which a connection that is kept open is closed
        self.connections = 0
        self.hung_up = threading.Event()  # the other side left while it was written to
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        if self.tls:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:  # the other side does not like the certificate
                self.shutdown_request(request)
                return
        super().process_request_thread(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.hung_up.set()


class _Answer(BaseHTTPRequestHandler):
    server: Completions
    disable_nagle_algorithm = True  # as real servers do: else a kept connection answers 40 ms late

    @property
    def protocol_version(self) -> str:  # type: ignore[override]
        return "HTTP/1.1" if self.server.chunked else "HTTP/1.0"

    @property
    def timeout(self) -> float | None:  # type: ignore[override]
        return self.server.idle

    def do_GET(self) -> None:
        self.server.requests.append((self.path, {}))
        self.server.headers.append(dict(self.headers))
        status = self._status()
        if status != 200:
            self._refuse(status)
            return
        self._whole(200, "application/json", json.dumps({"object": "list", "data": self.server.models}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        self.server.headers.append(dict(self.headers))
        status = self._status()
        self._wait(self.server.silence_before_headers)
        if status != 200:
            self._refuse(status)
            return
        if self.server.page:
            self._whole(200, "text/html; charset=utf-8", self.server.page)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        if self.server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._stream()
        except OSError:
            self.server.hung_up.set()  # the other side stopped listening
            self.close_connection = True

    def _status(self) -> int:
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            return 401
        return self.server.statuses.pop(0) if self.server.statuses else self.server.status

    def _stream(self) -> None:
        self._wait(self.server.silence_before_words, pings=self.server.pings)
        if self.server.raw is not None:
            for piece in self.server.raw:
                self._send(piece)
                time.sleep(self.server.pause)
            self._end()
            return
        answer = self.server.script.pop(0) if self.server.script else self.server.words
        calls = [item for item in answer if isinstance(item, Call)]
        for number, word in enumerate(item for item in answer if isinstance(item, str)):
            if number == self.server.cut_after:
                self._break()
                return
            self._event(choices=[{"index": 0, "delta": {"role": "assistant", "content": word}}])
            time.sleep(self.server.pause)
            if number == 0:
                self._wait(self.server.silence, pings=self.server.pings)
        self._call(calls)
        if self.server.finish:
            reason = "tool_calls" if calls else self.server.finish
            self._event(choices=[{"index": 0, "delta": {}, "finish_reason": reason}])
        if self.server.usage:
            self._event(choices=[], usage={"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15})
        if self.server.done:
            self._send(b"data: [DONE]\n\n")
        self._end()

    def _call(self, calls: Sequence[Call]) -> None:
        """The name first, then the arguments in two halves, as OpenAI sends them."""
        for index, call in enumerate(calls):
            name = {"name": call.name, "arguments": ""}
            made = call.id or f"call_{len(self.server.requests)}_{index}"
            self._delta(tool_calls=[{"index": index, "id": made, "type": "function", "function": name}])
            half = len(call.arguments) // 2
            for piece in (call.arguments[:half], call.arguments[half:]):
                self._delta(tool_calls=[{"index": index, "function": {"arguments": piece}}])

    def _wait(self, seconds: float, *, pings: bool = False) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(min(0.05, seconds))
            if pings:
                self._send(b": ping\n\n")
            elif _left(self.connection):
                raise ConnectionResetError

    def _delta(self, **fields: Any) -> None:
        self._event(choices=[{"index": 0, "delta": fields}])

    def _event(self, **fields: Any) -> None:
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", **fields}
        self._send(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _send(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if self.server.chunked else data)
        self.wfile.flush()

    def _end(self) -> None:
        if self.server.chunked:
            self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()

    def _break(self) -> None:
        """With chunks the end is missing; without, the connection is reset."""
        self.close_connection = True
        if not self.server.chunked:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _refuse(self, status: int) -> None:
        if isinstance(self.server.error, str):
            self._whole(status, "text/html", self.server.error, self.server.error_headers)
        else:
            self._whole(status, "application/json", json.dumps(self.server.error), self.server.error_headers)

    def _whole(self, status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


def _left(connection: socket.socket) -> bool:
    """Whether the other side has hung up."""
    if isinstance(connection, ssl.SSLSocket):
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
