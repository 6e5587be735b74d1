"""A server on loopback that speaks Gemini's streamGenerateContent, as Vertex AI and the Gemini API do: SSE of JSON."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Gemini(ThreadingHTTPServer):
    """`script`: the parts of each answer in turn, one SSE event per part; then `words`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.script: list[list[dict[str, Any]]] = []
        self.words = ["Paris ", "is ", "the ", "capital."]
        self.statuses: list[int] = []  # of the next requests; then 200
        self.error: Any = {"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}}
        self.finish: str | None = "STOP"
        self.blocked = ""  # a promptFeedback.blockReason, and no answer
        self.events: list[bytes] | None = None  # sent as they are
        self.token = "ya29.fresh"  # "": credentials are refused
        self.silence = 0.0  # seconds after the first event
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Gemini
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        if self.path == "/token":  # where credentials are refreshed
            self.send_response(200 if self.server.token else 400)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            said = (
                {"access_token": self.server.token, "expires_in": 3600}
                if self.server.token
                else {"error": "invalid_grant"}
            )
            self.wfile.write(json.dumps(said).encode())
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        self.server.headers.append(dict(self.headers))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status >= 400 else "text/event-stream")
        self.end_headers()
        if status >= 400:
            self.wfile.write(json.dumps(self.server.error).encode())
            return
        with contextlib.suppress(OSError):  # the other side stopped listening
            self._stream()

    def _stream(self) -> None:
        if self.server.events is not None:
            for event in self.server.events:
                self.wfile.write(event)
            return
        if self.server.blocked:
            self._event({"promptFeedback": {"blockReason": self.server.blocked}})
            return
        parts = self.server.script.pop(0) if self.server.script else [{"text": word} for word in self.server.words]
        for number, part in enumerate(parts):
            candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [part]}}
            if number == len(parts) - 1 and self.server.finish:
                candidate["finishReason"] = self.server.finish
            counted = {"promptTokenCount": 11, "candidatesTokenCount": number + 1, "thoughtsTokenCount": 2}
            self._event({"candidates": [candidate], "usageMetadata": counted})
            if number == 0:
                until = time.monotonic() + self.server.silence
                while time.monotonic() < until:
                    time.sleep(0.05)

    def _event(self, body: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(body).encode() + b"\r\n\r\n")
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass
