"""In: a request to a model on another machine. Out: its answer as it comes, or a Trouble, always in bounded time.

One HTTP client for every remote provider. It waits on the socket itself in short slices, so that a person's stop is
heard at once, also before the first byte; it hangs up then, which ends the writing (and the bill) at the other side.

A deadline is for words: `first` runs until the model wrote something, `between` from one word to the next. Headers and
keep-alive lines (`: ping`) do not count. Only time spent waiting for the server counts: a slow reader is not its fault.

What is paid: a provider may bill from the moment it has taken a request, which is when it says 200, and perhaps earlier
when it hangs up or fails after it read the request. So a request is sent again only where it was surely not taken: no
connection was made, or the answer is 429 or 503; never after anything else. Knows nothing of OpenAI, Ollama or Gemini.
"""

from __future__ import annotations

import atexit
import codecs
import queue
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Generator, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeVar

import httpcore2
import httpx2

from assistant.models.faults import Trouble

SLICE = 0.1  # seconds: how long a stop can go unheard
MOST = 16 * 2**20  # bytes without a word
ERROR_BODY = 2**18  # bytes of a refusal that are read
REFUSED_FREE = (429, 503)  # statuses that mean the request was not taken
DONE = b"data: [DONE]"

Item = TypeVar("Item")
_current: ContextVar[Waiting | None] = ContextVar("waiting", default=None)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, and how often a request that was not taken is sent again."""

    connect: float = 10.0  # name, connection and TLS together
    first: float = 30.0  # to the first word
    between: float = 60.0  # from one word to the next
    retries: int = 2
    retry_after: float = 10.0  # the longest wait a server may ask for; a longer one is told to the person


# A model that thinks before it writes sends nothing meanwhile: what is a long silence elsewhere is its way of working.
THINKING = Patience(first=60.0)


class Waiting:
    """One call: how long it may stay silent, who may stop it, how far it came."""

    def __init__(self, patience: Patience, stop: threading.Event | None = None, stream: str = "") -> None:
        """`stream`: the content type a successful answer has to have; "": any but a web page."""
        self.patience = patience
        self.stop = stop or threading.Event()
        self.stream = stream
        self.words = False  # the model wrote something
        self.done = False  # the stream said that it ends
        self.retry_after: float | None = None  # seconds, of the last refusal
        self._limit = patience.first
        self._silent = 0.0
        self._bytes = 0

    def word(self) -> None:
        """The model wrote something: the clock starts anew."""
        self.words = True
        self._limit, self._silent, self._bytes = self.patience.between, 0.0, 0

    def over(self, items: Generator[Item, None, None]) -> Generator[Item, None, None]:
        """The same items; this call is in charge of the requests made to get each of them."""
        try:
            while True:
                token = _current.set(self)
                try:
                    item = next(items)
                except StopIteration:
                    return
                finally:
                    _current.reset(token)
                yield item
        finally:
            items.close()

    def begin(self) -> None:
        self._silent, self._bytes, self.retry_after = 0.0, 0, None

    def hurry(self, seconds: float) -> None:
        self._limit, self._silent = seconds, 0.0

    def read(self, stream: httpcore2.NetworkStream, most: int) -> bytes:
        while True:
            self.check()
            began = time.monotonic()
            try:
                data = stream.read(most, timeout=min(SLICE, self._limit))
            except httpcore2.ReadTimeout:
                continue
            finally:
                self._silent += time.monotonic() - began
            self._bytes += len(data)
            return data

    def check(self) -> None:
        if self.stop.is_set():
            raise Trouble("stopped")
        if self._silent >= self._limit:
            raise Trouble("silent_between" if self.words else "silent_first", seconds=f"{self._limit:g}")
        if self._bytes > MOST:
            raise Trouble("endless", megabytes=MOST // 2**20)

    def pause(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise Trouble("stopped")

    def beside(self, work: Callable[[], httpcore2.NetworkStream]) -> httpcore2.NetworkStream:
        """Done in a thread of its own: looking up a name cannot be interrupted. Left behind, it tidies up itself."""
        done: queue.SimpleQueue[httpcore2.NetworkStream | BaseException] = queue.SimpleQueue()
        left, lock = threading.Event(), threading.Lock()

        def run() -> None:
            result: httpcore2.NetworkStream | BaseException
            try:
                result = work()
            except BaseException as error:
                result = error
            with lock:
                if left.is_set() and isinstance(result, httpcore2.NetworkStream):
                    result.close()
                done.put(result)

        threading.Thread(target=run, name="connect", daemon=True).start()
        until = time.monotonic() + self.patience.connect
        while True:
            try:
                result = done.get(timeout=max(0.0, min(SLICE, until - time.monotonic())))
            except queue.Empty:
                if not self.stop.is_set() and time.monotonic() < until:
                    continue
                with lock:
                    left.set()
                    if not done.empty() and isinstance(late := done.get(), httpcore2.NetworkStream):
                        late.close()
                if self.stop.is_set():
                    raise Trouble("stopped") from None
                raise Trouble("slow_connect", seconds=f"{self.patience.connect:g}") from None
            if isinstance(result, BaseException):
                raise result
            return result


class _Stream(httpcore2.NetworkStream):
    """A connection whose reading obeys the call's Waiting, which travels where httpcore puts a timeout."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        if isinstance(timeout, Waiting):
            return timeout.read(self._inner, max_bytes)
        return self._inner.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: Any = None
    ) -> httpcore2.NetworkStream:
        seconds = timeout.patience.connect
        return _Stream(timeout.beside(lambda: self._inner.start_tls(ssl_context, server_hostname, seconds)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Any = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        seconds = timeout.patience.connect
        return _Stream(timeout.beside(lambda: self._inner.connect_tcp(host, port, seconds, local_address)))


class PatientTransport(httpx2.BaseTransport):
    """Sends with the Waiting in charge. Follows no redirect: a key must not travel to another address."""

    def __init__(self) -> None:
        self._pools: dict[tuple[bool, str], httpcore2.ConnectionPool] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        waiting = _current.get() or Waiting(Patience())
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
                    "ssl_context": context, "network_backend": _Backend(), "max_connections": 100,
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
