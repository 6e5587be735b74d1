"""A server on loopback that speaks the chat completions contract, as vLLM and llama.cpp do: SSE, usage at the end."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Completions(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.words = ["Paris ", "is ", "the ", "capital."]
        self.status = 200
        self.pause = 0.0  # seconds after each word
        self.silence = 0.0  # seconds after the first word
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Completions

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        if self.server.status != 200:
            self._refuse()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for number, word in enumerate(self.server.words):
                self._event(choices=[{"index": 0, "delta": {"role": "assistant", "content": word}}])
                time.sleep(self.server.pause)
                if number == 0:
                    self._wait()
            self._event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
            self._event(choices=[], usage={"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            pass  # the other side stopped listening

    def _wait(self) -> None:
        until = time.monotonic() + self.server.silence
        while time.monotonic() < until and self.server.silence:
            time.sleep(0.05)

    def _event(self, **fields: Any) -> None:
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", **fields}
        self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.wfile.flush()

    def _refuse(self) -> None:
        body = json.dumps({"error": {"message": "No.\nReally.", "type": "x", "code": None}}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
