"""A hub on loopback: as much of the Hugging Face hub's protocol as a snapshot download asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "c0ffee" * 6 + "c0ff"


class Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path, more: Mapping[str, bytes], token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} | dict(more)
        self.token = token
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def use(self) -> None:
        """This process's hub, as HF_ENDPOINT would make it before the start."""
        from huggingface_hub import constants, hf_api

        constants.ENDPOINT = self.url
        constants.HUGGINGFACE_CO_URL_TEMPLATE = self.url + "/{repo_id}/resolve/{revision}/{filename}"
        hf_api.api.endpoint = self.url


class _Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        self.server.asked.append(self.path)
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Not found"}, with_body)
            return
        if "/resolve/" in self.path:
            content = self.server.files[self.path.rpartition("/")[2]]
            etag = hashlib.sha256(content).hexdigest()
            self._send(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, with_body)
        else:
            self._send(200, json.dumps(self._listed()).encode(), {}, with_body)

    def _listed(self) -> Any:
        rows = [
            {
                "type": "file",
                "path": name,
                "size": len(body),
                "oid": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
            }
            for name, body in self.server.files.items()
        ]
        if "/tree/" in self.path:
            return rows
        return {
            "id": "someone/tiny", "modelId": "someone/tiny", "sha": COMMIT, "private": False, "tags": [],
            "siblings": [{"rfilename": row["path"]} for row in rows],
        }  # fmt: skip

    def _send(self, status: int, body: bytes, headers: Mapping[str, str], with_body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
