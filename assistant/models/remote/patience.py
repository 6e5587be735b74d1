"""In: a connection to a model on another machine. Out: what it sends, or a Trouble, always in bounded time.

Waiting is done on the socket itself in short slices, so that a person's stop is heard at once, also before the first
byte; the connection is closed then, which ends the writing (and the bill) at the other side.

A deadline is for words: `first` runs until the model wrote something, `between` from one word to the next. Headers and
keep-alive lines (`: ping`) do not count. Only time spent waiting for the server counts: a slow reader is not its fault.

Knows nothing of OpenAI, Ollama or Gemini.
"""

from __future__ import annotations

import queue
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import httpcore2

from assistant.models.remote.faults import Trouble

SLICE = 0.1  # seconds: how long a stop can go unheard
MOST = 16 * 2**20  # bytes without a word

Item = TypeVar("Item")
current: ContextVar[Waiting | None] = ContextVar("waiting", default=None)


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
        self._connected_by = 0.0  # on the monotonic clock

    def word(self) -> None:
        """The model wrote something: the clock starts anew."""
        self.words = True
        self._limit, self._silent, self._bytes = self.patience.between, 0.0, 0

    def over(self, items: Generator[Item, None, None]) -> Generator[Item, None, None]:
        """The same items; this call is in charge of the requests made to get each of them."""
        try:
            while True:
                token = current.set(self)
                try:
                    item = next(items)
                except StopIteration:
                    return
                finally:
                    current.reset(token)
                yield item
        finally:
            items.close()

    def begin(self) -> None:
        self._silent, self._bytes, self.retry_after = 0.0, 0, None
        self._connected_by = time.monotonic() + self.patience.connect

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
        while True:
            try:
                result = done.get(timeout=max(0.0, min(SLICE, self._connected_by - time.monotonic())))
            except queue.Empty:
                if not self.stop.is_set() and time.monotonic() < self._connected_by:
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


class Backend(httpcore2.NetworkBackend):
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
