"""A package index on loopback that misbehaves on demand, and the tiny wheels and catalogues that go with it."""

from __future__ import annotations

import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from knowledge.weights.sources import Catalogue


def wheel(files: Mapping[str, bytes], package: str = "tiny_model", version: str = "1.0") -> bytes:
    """A wheel pip accepts, with the files in `tiny_model/` and code that must never run."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{package}/{name}", content)
        archive.writestr(f"{package}/__init__.py", "raise SystemExit('a fetched wheel was executed')\n")
        info = f"{package}-{version}.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return out.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def catalogue(files: Mapping[str, bytes], package: bytes, *, hub: bool = False) -> Catalogue:
    """One model, "tiny", pinned to these files and this wheel."""
    sources: list[dict[str, Any]] = [{"kind": "hub", "repository": "someone/tiny", "revision": "main"}] if hub else []
    sources.append(
        {"kind": "wheel", "requirement": "tiny-model==1.0", "sha256": sha256(package), "size": len(package),
         "folder": "tiny_model/"}
    )  # fmt: skip
    pins = {name: {"size": len(content), "sha256": sha256(content)} for name, content in files.items()}
    model = {
        "role": "chat",
        "title": "Tiny",
        "licence": "Apache-2.0",
        "homepage": "",
        "files": pins,
        "sources": sources,
    }
    return Catalogue.model_validate({"models": {"tiny": model}})


class Site(ThreadingHTTPServer):
    """Serves `pages` by path. `mood`: "good", "cut" (half of each wheel), "missing" (404), "slow" (20 KB a second)."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.pages: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.mood = "good"
        self.downloads = 0  # wheels or files begun
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def offer(self, package: bytes) -> None:
        name = "tiny_model-1.0-py3-none-any.whl"
        self.pages["/files/" + name] = package
        self.pages["/simple/tiny-model/"] = f'<html><body><a href="/files/{name}">{name}</a></body></html>'.encode()


class _Answer(BaseHTTPRequestHandler):
    server: Site

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        body = self._head()
        if body is None:
            return
        if "simple" in self.path:
            self.wfile.write(body)
            return
        self.server.downloads += 1
        try:
            match self.server.mood:
                case "cut":
                    self.wfile.write(body[: len(body) // 2])
                    self.close_connection = True
                case "slow":
                    for start in range(0, len(body), 2000):
                        self.wfile.write(body[start : start + 2000])
                        time.sleep(0.1)
                case _:
                    self.wfile.write(body)
        except OSError:
            pass  # the other side was killed

    def _head(self) -> bytes | None:
        body = self.server.pages.get(self.path.split("?")[0])
        if body is None or self.server.mood == "missing":
            self.send_error(404)
            return None
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if "simple" in self.path else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{sha256(body)}"')
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        return body

    def log_message(self, *_: Any) -> None:
        pass
