"""A server on loopback that speaks Ollama's own protocol: /api/chat as lines of JSON, /api/tags, /api/show, /api/ps."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Ollama(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.models = {"llama3.2:latest": ["completion", "tools"], "tiny:latest": ["completion"]}
        self.loaded = ["llama3.2:latest"]
        self.script: list[list[dict[str, Any]]] = []  # messages of each answer in turn; then `words`
        self.words = ["Paris ", "is ", "the ", "capital."]
        self.status = 200
        self.error = "No."
        self.error_inside = ""  # a line {"error": …} after the first word
        self.end = True  # a line with "done"
        self.load = 0.0  # seconds before the first line of a model that is not loaded
        self.silence = 0.0  # seconds after the first word
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [body for path, body in self.requests if path == "/api/chat"]


class _Answer(BaseHTTPRequestHandler):
    server: Ollama
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.requests.append((self.path, {}))
        names = self.server.loaded if self.path == "/api/ps" else list(self.server.models)
        self._json(200, {"models": [{"name": name, "model": name} for name in names]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body))
        name = body["model"] if ":" in body["model"] else f"{body['model']}:latest"
        if name not in self.server.models:
            self._json(404, {"error": f"model '{body['model']}' not found"})
        elif self.path == "/api/show":
            info = {"general.architecture": "llama", "llama.context_length": 131072}
            details = {"parameter_size": "3.2B"}
            self._json(200, {"capabilities": self.server.models[name], "model_info": info, "details": details})
        elif self.server.status != 200:
            self._json(self.server.status, {"error": self.server.error})
        elif body.get("tools") and "tools" not in self.server.models[name]:
            self._json(400, {"error": f"registry.ollama.ai/library/{name} does not support tools"})
        else:
            with contextlib.suppress(OSError):  # the other side stopped listening
                self._chat(name)

    def _chat(self, name: str) -> None:
        if name not in self.server.loaded:
            time.sleep(self.server.load)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.end_headers()
        words = [{"content": word} for word in self.server.words]
        for number, message in enumerate(self.server.script.pop(0) if self.server.script else words):
            self._line(message={"role": "assistant", **message}, done=False)
            if number == 0 and self.server.error_inside:
                self._line(error=self.server.error_inside)
                return
            until = time.monotonic() + self.server.silence
            while number == 0 and time.monotonic() < until:
                time.sleep(0.05)
        if self.server.end:
            counts = {"prompt_eval_count": 11, "eval_count": 4}
            self._line(message={"role": "assistant", "content": ""}, done=True, done_reason="stop", **counts)

    def _line(self, **fields: Any) -> None:
        self.wfile.write(json.dumps(fields).encode() + b"\n")
        self.wfile.flush()

    def _json(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass
