"""In: a request to a model on another machine. Out: its answer as it comes, or a Trouble.

One HTTP client for every remote provider; the Waiting of a call (remote.patience) is in charge of each request.

What is paid: a provider may bill from the moment it has taken a request, which is when it says 200, and perhaps earlier
when it hangs up or fails after it read the request. So a request is sent again only where it was surely not taken: no
connection was made, or the answer is 429 or 503; never after anything else. Knows nothing of OpenAI, Ollama or Gemini.
"""

from __future__ import annotations

import atexit
import codecs
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpcore2
import httpx2

from assistant.models.remote.faults import Trouble
from assistant.models.remote.patience import Backend, Patience, Waiting, current

ERROR_BODY = 2**18  # bytes of a refusal that are read
REFUSED_FREE = (429, 503)  # statuses that mean the request was not taken
DONE = b"data: [DONE]"


class PatientTransport(httpx2.BaseTransport):
    """Sends with the Waiting in charge. Follows no redirect: a key must not travel to another address."""

    def __init__(self) -> None:
        self._pools: dict[tuple[bool, str], httpcore2.ConnectionPool] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        waiting = current.get() or Waiting(Patience())
        content = request.read()
        attempt = 0
        while True:
            waiting.begin()
            try:
                waiting.check()
                response = self._send(request, content, waiting)
                pause = self._again(response, waiting)
                if pause is None or attempt >= waiting.patience.retries:
                    return response
            except Exception as error:
                trouble = why(error)
                if not trouble.free or attempt >= waiting.patience.retries:
                    raise trouble from error
                pause = 0.2 * 2**attempt
            attempt += 1
            waiting.pause(pause)

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _send(self, request: httpx2.Request, content: bytes, waiting: Waiting) -> httpx2.Response:
        url = request.url
        if not url.host or url.scheme not in ("http", "https"):
            raise Trouble("no_address")
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"accept-encoding"]
        answer = self._pool(url).handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=[*headers, (b"Accept-Encoding", b"identity")],  # so that broken UTF-8 can be mended
                content=content,
                extensions={
                    "timeout": {
                        "connect": waiting, "read": waiting,
                        "write": waiting.patience.first, "pool": waiting.patience.connect,
                    }
                },
            )
        )  # fmt: skip
        body = _Body(answer, waiting)
        try:
            return self._judged(answer, body, waiting)
        except BaseException:
            body.close()
            raise

    def _judged(self, answer: httpcore2.Response, body: _Body, waiting: Waiting) -> httpx2.Response:
        headers = httpx2.Headers(answer.headers)
        kind = headers.get("content-type", "").lower()
        if 300 <= answer.status < 400:
            raise Trouble("moved", location=httpx2.URL(headers.get("location", "")).copy_with(query=None))
        if answer.status < 300 and "html" in kind:
            raise Trouble("page", title=_title(_beginning(body)))
        if answer.status < 300 and waiting.stream and "json" in kind and waiting.stream not in kind:
            raise Trouble("not_streamed", body=_beginning(body))
        if answer.status < 300:
            return httpx2.Response(answer.status, headers=headers, stream=body)
        waiting.retry_after = _retry_after(headers)
        content = _beginning(body)
        body.close()
        for name in ("content-length", "transfer-encoding", "content-encoding"):
            headers.pop(name, None)
        return httpx2.Response(answer.status, headers=headers, content=content)

    def _again(self, response: httpx2.Response, waiting: Waiting) -> float | None:
        """Seconds after which a request that was not taken may be sent again; None: it is not sent again."""
        if response.status_code not in REFUSED_FREE or b"insufficient_quota" in response.content:
            return None
        wait = 0.5 if waiting.retry_after is None else waiting.retry_after
        return wait if wait <= waiting.patience.retry_after else None

    def _pool(self, url: httpx2.URL) -> httpcore2.ConnectionPool:
        proxy, tls = _proxy(url), url.scheme == "https"
        with self._lock:
            if (tls, proxy) not in self._pools:
                context = httpx2.create_ssl_context() if tls else None
                settings: dict[str, Any] = {
                    "ssl_context": context, "network_backend": Backend(), "max_connections": 100,
                    "max_keepalive_connections": 20, "keepalive_expiry": 30.0,
                }  # fmt: skip
                self._pools[tls, proxy] = _through(proxy, settings) if proxy else httpcore2.ConnectionPool(**settings)
            return self._pools[tls, proxy]


class _Body(httpx2.SyncByteStream):
    """The answer's bytes. A broken character becomes one mark instead of losing the rest."""

    def __init__(self, answer: httpcore2.Response, waiting: Waiting) -> None:
        self._answer, self._waiting = answer, waiting
        self._pieces = iter(answer.iter_stream())
        self._tail = b""

    def __iter__(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            for piece in self._pieces:
                self._tail = (self._tail + piece)[-len(DONE) - len(piece) :]
                self._waiting.done = self._waiting.done or DONE in self._tail
                yield decoder.decode(piece).encode()
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise Trouble("cut") from error
        yield decoder.decode(b"", final=True).encode()

    def close(self) -> None:
        """After the stream's own end the last bytes are read, so that the connection serves the next call too."""
        try:
            if self._waiting.done:
                self._waiting.hurry(0.05)
                next(self._pieces, None)
        except (Trouble, httpcore2.NetworkError, httpcore2.ProtocolError):
            pass
        finally:
            self._answer.close()


@cache
def client() -> httpx2.Client:
    """The one client, made when first asked for. No .netrc: it would put its password in place of a key."""
    made = httpx2.Client(transport=PatientTransport(), trust_env=False, follow_redirects=False)
    atexit.register(made.close)
    return made


def why(error: Exception) -> Trouble:
    """Why no answer came; `free`: it is sure that the request was not taken."""
    if isinstance(error, Trouble):
        return error
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        reason = next(cause.verify_message for cause in causes if isinstance(cause, ssl.SSLCertVerificationError))
        return Trouble("certificate", reason=reason)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Trouble("tls")
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes):
        return Trouble("no_such_name")
    if isinstance(error, httpcore2.ConnectTimeout):
        return Trouble("slow_connect", seconds="a few")
    if isinstance(error, httpcore2.ConnectError):
        reset = any(isinstance(cause, ConnectionRefusedError | ConnectionResetError) for cause in causes)
        return Trouble("refused" if reset else "unreachable", free=reset, reason=_reason(causes[-1]))
    if isinstance(error, httpcore2.LocalProtocolError):  # a header that cannot be sent, and only the key is a person's
        return Trouble("key")
    if isinstance(error, httpcore2.ProxyError):
        return Trouble("proxy", reason=_reason(error))
    if isinstance(error, httpcore2.RemoteProtocolError) and "disconnected" not in str(error):
        return Trouble("not_http")
    if isinstance(error, httpcore2.NetworkError | httpcore2.ProtocolError | httpcore2.TimeoutException):
        return Trouble("hung_up")
    raise error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(error: BaseException) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (said.strip().splitlines() or [type(error).__name__])[0][:200]


def _beginning(body: _Body) -> str:
    read = b""
    try:
        for piece in body:
            read += piece
            if len(read) >= ERROR_BODY:
                break
    except Trouble as trouble:
        if trouble.kind == "stopped":
            raise
    return read[:ERROR_BODY].decode("utf-8", "replace")


def _title(page: str) -> str:
    _, begun, rest = page.partition("<title>")
    return " ".join(rest.partition("</title>")[0].split())[:80] if begun else ""


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds, from a number of seconds or a date."""
    said = headers.get("retry-after", "")
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        if said.replace(".", "", 1).isdigit():
            return float(said)
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time()) if said else None
    except ValueError:
        return None


def _through(proxy: str, settings: dict[str, Any]) -> httpcore2.HTTPProxy:
    url = httpx2.URL(proxy)
    place = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/")
    return httpcore2.HTTPProxy(place, (url.username, url.password) if url.username else None, **settings)


def _proxy(url: httpx2.URL) -> str:
    """The network's own, where it has one; never for this machine."""
    if url.host in ("localhost", "::1") or url.host.startswith("127."):
        return ""
    proxies = urllib.request.getproxies()
    if urllib.request.proxy_bypass(url.host):
        return ""
    found = proxies.get(url.scheme) or proxies.get("all") or ""
    return found if found.startswith(("http://", "https://")) else ""
