"""In: the site as an ASGI app. Out: the same site behind closed doors.

For every request, in this order:

    Host         one of the names the app is reached by (a page that rebinds its DNS name to 127.0.0.1 is refused)
    Origin       absent, or the app itself (no other page can post here, nor read)
    path         of Gradio's some 60 endpoints only those its page needs (no proxy, no direct calls, no monitoring)
    body         counted while it streams; a component's payload may name no file but one that was uploaded here
    response     security headers and a Content-Security-Policy; an exception becomes a sentence, never a traceback

Knows nothing of Gradio but its paths and the shape of its payloads (6.31).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.formparsers import MultiPartException
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.service.say import Say, preferred

log = logging.getLogger(__name__)

GRADIO = "/gradio_api/"
ALLOWED = re.compile(  # what Gradio's page calls, seen in a browser and in its client's source
    r"/gradio_api/(?:app_id|info|startup-events|theme\.css|queue/data|upload_progress|heartbeat/[\w-]+|file=.+"
    r"|queue/join|upload|cancel|reset|component_server)/?"
)
CLOSED = re.compile(r"/(?:login|logout|monitoring|pwa_icon|docs|redoc|openapi\.json)(?:/.*)?")
PAYLOADS = ("/gradio_api/queue/join", "/gradio_api/component_server")
UPLOAD = "/gradio_api/upload"
PROGRAMS = "/v1/"  # other programs' way in: it says its own failures, in JSON
BODY_LIMIT = 8 * 1024 * 1024  # bytes, of anything but an upload; a join carries the page's state
MULTIPART_ROOM = 64 * 1024  # bytes around an upload's content
GOODBYE = 0.5  # seconds to end a stream in good order when the app stops
DRAIN_LIMIT = 2 * 1024**3  # bytes read and dropped, so that a browser gets to see the refusal instead of a reset

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
}


def policy(nonce: str) -> str:
    """Scripts: our own files and the tags the server wrote itself. `unsafe-eval` is what Gradio's templates and `js=`
    handlers need (they are built with `new Function`); a script in an answer still has neither a nonce nor a source.
    `base-uri 'self'`: Gradio writes a <base> of its own."""
    return (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
        f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; script-src-attr 'none'; style-src 'self' 'unsafe-inline'; "
        "connect-src 'self'; worker-src 'self' blob:; frame-src 'none'; object-src 'none'; frame-ancestors 'none'; "
        "base-uri 'self'; form-action 'self'"
    )


@dataclass(eq=False)  # not frozen: raising it writes its traceback into it
class Refused(Exception):  # noqa: N818 - it says what happened
    status: int
    sentence: str  # a key of words/*.json
    values: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Doors:
    """`hosts`: names besides loopback's. `anywhere`: bound beyond loopback, so that any literal address is a fair Host
    (an address cannot be rebound; a name can). `uploads`: the only folder files are served from and named in."""

    app: ASGIApp
    uploads: Path
    upload_limit: int  # bytes
    hosts: frozenset[str] = frozenset()
    anywhere: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await _Visit(self, scope, receive, send).run()
        else:  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})

    def check(self, method: str, path: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._known(host):
            raise Refused(421, "door_host")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise Refused(403, "door_origin")
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and method not in ("GET", "HEAD"):
            raise Refused(403, "door_origin")
        if CLOSED.fullmatch(path) or (path.startswith(GRADIO.rstrip("/")) and not ALLOWED.fullmatch(path)):
            raise Refused(404, "door_closed")
        if path.startswith(f"{GRADIO}file=") and not self.ours(path.removeprefix(f"{GRADIO}file=")):
            raise Refused(403, "door_file")

    def limit(self, path: str) -> int:
        return self.upload_limit + MULTIPART_ROOM if path.rstrip("/") == UPLOAD else BODY_LIMIT

    def ours(self, path: str) -> bool:
        """Whether `path` lies in the uploads folder, links followed."""
        try:
            return Path(path).is_absolute() and Path(path).resolve().is_relative_to(self.uploads.resolve())
        except (OSError, ValueError):
            return False

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in ("127.0.0.1", "localhost", "::1") or name in self.hosts:
            return True
        if not self.anywhere:
            return False
        try:
            return bool(ipaddress.ip_address(name))
        except ValueError:
            return False


class _Visit:
    """One request."""

    def __init__(self, doors: Doors, scope: Scope, receive: Receive, send: Send) -> None:
        self.doors, self.scope, self._receive, self._send = doors, scope, receive, send
        self.headers = Headers(scope=scope)
        self.path: str = scope["path"]
        self.limit = doors.limit(self.path)
        self.nonce = secrets.token_urlsafe(16)
        self.count = 0  # bytes of the body seen
        self.ended = False  # whether the body was read to its end
        self.started = False  # whether a response has begun
        self.refused: Refused | None = None
        self.held: Message | None = None  # the start of a response that waits for its whole body

    async def run(self) -> None:
        try:
            self.doors.check(self.scope["method"], self.path, self.headers)
            if int(self.headers.get("content-length") or 0) > self.limit:
                raise self._too_big()
            inner = await self._checked_payload() if self.path.rstrip("/") in PAYLOADS else self.receive
            await self.doors.app(self._inner_scope(), inner, self.send)
        except Refused as refused:
            self.refused = refused
        except asyncio.CancelledError:  # the app stops, and this stream was still open: no error of anybody's
            log.info("a request to %s was still open", self.path)
            await self._goodbye()
            return
        except ValueError as error:
            self.refused = Refused(400, "door_body")
            log.info("a malformed request to %s: %s", self.path, error)
        except Exception:
            log.exception("a request to %s failed", self.path)
            self.refused = self.refused or Refused(500, "door_failed")
        if self.refused is not None and not self.started:
            await self._refuse(self.refused)

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.count += len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
            if self.count > self.limit:
                self.refused = self._too_big()
                raise self._torn(self.refused)
        elif not self.ended and self._uploads:
            self.ended = True
            self.refused = Refused(400, "door_body")
            raise self._torn(self.refused)
        return message

    @property
    def _uploads(self) -> bool:
        return self.path.rstrip("/") == UPLOAD

    def _torn(self, refused: Refused) -> Exception:
        """What Gradio is told of an upload that will not come to its end. It removes what it has written of it for this
        exception and for no other (not even for its own ClientDisconnect)."""
        return MultiPartException(refused.sentence) if self._uploads else refused

    async def _goodbye(self) -> None:
        if self.started:
            with contextlib.suppress(Exception):
                end = {"type": "http.response.body", "body": b"", "more_body": False}
                await asyncio.wait_for(self._send(end), GOODBYE)
        else:
            await self._refuse(Refused(503, "door_stopping"))

    async def send(self, message: Message) -> None:
        """Headers onto the first message; a page's script tags get the nonce; a bare 500 becomes a sentence."""
        if self.refused is not None:
            return  # what the site makes of a body that was cut off is not the answer
        if message["type"] == "http.response.start":
            if message["status"] >= 500 and not self.path.startswith(PROGRAMS):
                self.refused = Refused(500, "door_failed")
                return
            headers = MutableHeaders(scope=message)
            self._close(headers)
            if headers.get("content-type", "").startswith("text/html"):
                self.held = {**message, "body": b""}
                return
            self.started = True
        elif self.held is not None:
            await self._page(message)
            return
        await self._send(message)

    async def _page(self, message: Message) -> None:
        assert self.held is not None
        self.held["body"] += message.get("body", b"")
        if message.get("more_body", False):
            return
        start = dict(self.held)
        self.held = None
        body = start.pop("body").replace(b"<script", f'<script nonce="{self.nonce}"'.encode())
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        self.started = True
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    def _close(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        headers["Content-Security-Policy"] = policy(self.nonce)
        for name in ("access-control-allow-origin", "access-control-allow-credentials"):
            if name in headers:
                del headers[name]  # Gradio reflects any localhost origin, credentials included

    def _inner_scope(self) -> Scope:
        """Without Accept-Encoding where a page is written into or events are streamed: neither may be compressed."""
        if self.path.startswith(("/assets/", "/static/")):
            return self.scope
        kept = [(name, value) for name, value in self.scope["headers"] if name.lower() != b"accept-encoding"]
        return {**self.scope, "headers": kept}

    async def _checked_payload(self) -> Receive:
        """Read a component's payload whole, look at every file it names, and hand it on."""
        parts: list[bytes] = []
        while not self.ended:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                break
            parts.append(message.get("body", b""))
        body = b"".join(parts)
        try:
            payload = json.loads(body or b"null")
        except RecursionError:  # a hundred kilobytes of "[" are enough
            raise Refused(400, "door_body") from None
        for path in named_files(payload):
            if not self.doors.ours(path):
                raise Refused(403, "door_file")
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await self._receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        return replay

    def _too_big(self) -> Refused:
        return Refused(413, "door_too_big", (("limit", self.limit // (1024 * 1024)),))

    async def _refuse(self, refused: Refused) -> None:
        dropped = 0
        while not self.ended and refused.status == 413 and dropped < DRAIN_LIMIT:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            dropped += len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        language = preferred(cookie_parser(self.headers.get("cookie", "")), self.headers.get("accept-language", ""))
        response = PlainTextResponse(Say(language)(refused.sentence, **dict(refused.values)), refused.status)
        self._close(response.headers)
        await response(self.scope, self._receive, self._send)


def named_files(payload: Any) -> Iterator[str]:
    """Every `path` in a payload, at any depth: what Gradio takes for a file, whether or not it says so."""
    waiting = [payload]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(path := value.get("path"), str):
                yield path
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
