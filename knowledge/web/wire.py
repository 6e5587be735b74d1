"""In: addresses that were checked, a watch. Out: one connection that never waits longer than the watch allows.

Sockets of the standard library rather than an HTTP client: what is connected to is the very address that was checked,
a deadline holds over the whole exchange instead of over each read, and a stop is noticed while nothing arrives.
"""

from __future__ import annotations

import errno
import io
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from knowledge.web.addresses import IpAddress, Target
from knowledge.web.words import Refused, Unreachable

TICK = 0.2  # seconds between two looks at the watch
CONNECT = 5.0  # seconds for one address, when there is another to try


class Watch:
    """One request's time, redirects and all."""

    def __init__(self, host: str, seconds: float, stop: threading.Event | None) -> None:
        self.host = host
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._stop = stop

    def check(self) -> None:
        """Raises Unreachable when time is up or a person stopped it."""
        if self._stop is not None and self._stop.is_set():
            raise Unreachable("stopped")
        if time.monotonic() >= self._end:
            raise Unreachable("slow", host=self.host, seconds=round(self._seconds))


def connect(addresses: Sequence[IpAddress], port: int, watch: Watch) -> socket.socket:
    """To the first that answers."""
    for address in addresses:
        patience = CONNECT if address is not addresses[-1] else float("inf")
        if (connected := _connected(address, port, watch, patience)) is not None:
            connected.settimeout(TICK)
            return connected
    raise Unreachable("no_answer", host=watch.host)


def _connected(address: IpAddress, port: int, watch: Watch, patience: float) -> socket.socket | None:
    began = time.monotonic()
    try:
        line = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    except OSError:  # no IPv6 here
        return None
    try:
        line.setblocking(False)
        code = line.connect_ex((str(address), port))
        if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0)):
            raise OSError(code, "")
        with selectors.DefaultSelector() as selector:
            selector.register(line, selectors.EVENT_WRITE)
            while not selector.select(TICK):
                watch.check()
                if time.monotonic() - began > patience:
                    raise TimeoutError
        if code := line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, "")
        return line
    except OSError:
        line.close()
        return None
    except BaseException:
        line.close()
        raise


def ourselves(line: socket.socket) -> bool:
    """Whether both ends are on this machine: its public address is public, what listens there need not be."""
    return bool(line.getsockname()[0] == line.getpeername()[0])


def secured(line: socket.socket, target: Target, context: ssl.SSLContext, watch: Watch) -> ssl.SSLSocket:
    """The certificate is checked against the name, not against the address that was connected to."""
    wrapped = context.wrap_socket(line, server_hostname=target.host, do_handshake_on_connect=False)
    try:
        while True:
            watch.check()
            with suppress(TimeoutError):
                wrapped.do_handshake()
                return wrapped
    except ssl.SSLCertVerificationError:
        wrapped.close()
        raise Refused("certificate", host=target.host) from None
    except OSError:
        wrapped.close()
        raise Unreachable("no_answer", host=target.host) from None
    except BaseException:
        wrapped.close()
        raise


def send(line: socket.socket, data: bytes, watch: Watch) -> None:
    rest = memoryview(data)
    while rest:
        watch.check()
        with suppress(TimeoutError):
            rest = rest[line.send(rest) :]


class Incoming(io.RawIOBase):
    """What `http.client.HTTPResponse` takes for a socket. It reads `left` more bytes, then raises `too_much`."""

    def __init__(self, line: socket.socket, watch: Watch, left: int) -> None:
        self._line, self._watch, self.left = line, watch, left
        self.too_much = Refused("headers", host=watch.host)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while True:
            self._watch.check()
            with suppress(TimeoutError):
                count = self._line.recv_into(buffer)
                break
        self.left -= count
        if self.left < 0:
            raise self.too_much
        return count
