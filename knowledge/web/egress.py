"""In: a URL. Out: Fetched: what lies there, or a Refused/Unreachable whose sentence says why not.

For every hop, redirects too:

    the URL      http or https, no user name, a host in its one spelling            knowledge.web.addresses
    the name     looked up once; every address it has must be public                (`allow` names the exceptions)
    the port     80 or 443
    the line     to an address that was just checked: no second look-up to answer differently      knowledge.web.wire
    the answer   10 MB once unpacked, 20 s in all, 5 redirects, 64 KB of headers; no cookies, no credentials, no proxy

This is the only file of the project that fetches what a stranger's text may name. robots.txt is not asked: it speaks
to crawlers, and this fetches the one page that a person wants to read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urljoin

from knowledge.web.addresses import IpAddress, Target, public, target
from knowledge.web.wire import TICK, Incoming, Watch, connect, ourselves, secured, send
from knowledge.web.words import Refused, Unreachable

AGENT = "afina/0.1 (personal assistant; reads the page its person asks for)"
CHUNK = 64 * 1024  # bytes
REDIRECTED = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Sequence[str]]  # (name, port) → its addresses


@dataclass(frozen=True, slots=True)
class Limits:
    bytes: int = 10 * 1024 * 1024  # on the way as well as unpacked
    seconds: float = 20.0  # looking up, connecting and redirects included
    redirects: int = 5
    headers: int = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Fetched:
    url: str  # where it lay in the end
    status: int
    kind: str  # "text/html", lower case; "" where the server does not say
    charset: str  # as the server says; "" where it does not
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    headers: Mapping[str, str]  # besides our own; may hold a key
    body: bytes
    accept: tuple[str, ...]


class Egress:
    """Keeps nothing between two requests; safe from any thread."""

    def __init__(
        self,
        resolve: Resolve | None = None,
        allow: Collection[str] = (),
        *,
        limits: Limits = Limits(),
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`allow`: names or addresses that may be private, on any port ("box") or on one ("box:8888"): a search engine
        of the person's own, a test's server. `resolve` and `context` (whom TLS trusts) are the system's where left out.
        """
        self._resolve = resolve or _system
        self._allow = frozenset(one.lower() for one in allow)
        self._limits = limits
        self._context = context

    def allowing(self, *more: str) -> Egress:
        """The same with further exceptions."""
        return Egress(self._resolve, (*self._allow, *more), limits=self._limits, context=self._context)

    def get(
        self,
        url: str,
        *,
        accept: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
    ) -> Fetched:
        """`accept`: kinds that are wanted ("text/html", "image/*"); another one is refused before it is read.

        `headers`: for a service that was asked for by name. With them a redirect to another server is refused.
        """
        return self._follow(url, _Request("GET", headers or {}, b"", tuple(accept)), stop)

    def post(
        self,
        url: str,
        body: bytes,
        *,
        kind: str = "application/json",
        accept: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
    ) -> Fetched:
        """For a service that was asked for by name; never redirected: a 3xx is its answer."""
        request = _Request("POST", {**(headers or {}), "Content-Type": kind}, body, tuple(accept))
        return self._follow(url, request, stop)

    def _follow(self, url: str, request: _Request, stop: threading.Event | None) -> Fetched:
        place = target(url)
        watch = Watch(place.host, self._limits.seconds, stop)
        for _ in range(self._limits.redirects + 1):
            found = self._hop(place, request, watch)
            if isinstance(found, Fetched):
                return found
            following = _joined(place, found)
            if request.headers and following.origin != place.origin:
                raise Refused("elsewhere", host=place.host)
            place = following
            watch.host = place.host
        raise Refused("redirects", host=place.host, limit=self._limits.redirects)

    def _hop(self, place: Target, request: _Request, watch: Watch) -> Fetched | str:
        """What lies there, or where it sends on to."""
        line = connect(self._addresses(place, watch), place.port, watch)
        try:
            if ourselves(line) and not self._allowed(place, str(line.getpeername()[0])):
                raise Refused("private", host=place.host, address=str(line.getpeername()[0]))
            if place.scheme == "https":
                line = secured(line, place, self._context or _trusted(), watch)
            send(line, _head(place, request) + request.body, watch)
            incoming = Incoming(line, watch, self._limits.headers)
            return self._answer(place, request, incoming, watch)
        except http.client.HTTPException:
            raise Refused("nonsense", host=place.host) from None
        except OSError:
            raise Unreachable("cut", host=place.host) from None
        finally:
            line.close()

    # ── where to ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _addresses(self, place: Target, watch: Watch) -> list[IpAddress]:
        literal = place.literal
        addresses = [literal] if literal is not None else self._looked_up(place, watch)
        for address in addresses:
            allowed = self._allowed(place, str(address))
            if not allowed and not public(address):
                raise Refused("private", host=place.host, address=str(address))
            if not allowed and place.port not in (80, 443):
                raise Refused("port", port=place.port)
        return addresses

    def _allowed(self, place: Target, address: str) -> bool:
        names = {place.host, address}
        return bool(self._allow & (names | {f"{name}:{place.port}" for name in names}))

    def _looked_up(self, place: Target, watch: Watch) -> list[IpAddress]:
        """On a thread of its own: the system's look-up can be neither stopped nor given a time."""
        found: list[str] = []

        def look() -> None:
            try:
                found.extend(self._resolve(place.host, place.port))
            except (OSError, UnicodeError):  # no such name, no network
                found.clear()

        looking = threading.Thread(target=look, name="look up", daemon=True)
        looking.start()
        while looking.is_alive():
            watch.check()
            looking.join(TICK)
        try:
            addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in dict.fromkeys(found)]
        except ValueError:
            addresses = []
        if not addresses:
            raise Unreachable("unknown_name", host=place.host)
        return addresses

    # ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, place: Target, request: _Request, incoming: Incoming, watch: Watch) -> Fetched | str:
        response = http.client.HTTPResponse(incoming, method=request.method)  # type: ignore[arg-type]
        try:
            response.begin()
            incoming.left, incoming.too_much = (
                self._limits.bytes * 2 + CHUNK,
                self._too_big(),
            )  # chunks have their price
            location = response.getheader("location")
            if request.method == "GET" and response.status in REDIRECTED and location:
                return location.encode("latin-1", "replace").decode("utf-8", "replace")
            kind = response.headers.get_content_type() if response.getheader("content-type") else ""
            charset = response.headers.get_content_charset("") or ""
            if 200 <= response.status < 300 and kind and not _wanted(kind, request.accept):
                raise Refused("not_text", kind=kind[:80])
            body = b"".join(self._body(place, response, watch))
            return Fetched(place.url, response.status, kind, charset, body)
        finally:
            response.close()

    def _body(self, place: Target, response: http.client.HTTPResponse, watch: Watch) -> Iterator[bytes]:
        limit = self._limits.bytes
        if (response.length or 0) > limit:
            raise self._too_big()
        unpacking = _Unpacking(place.host, (response.getheader("content-encoding") or "").strip().lower())
        arrived = unpacked = 0
        for chunk in _chunks(response, place.host):
            arrived += len(chunk)
            for piece in unpacking.pieces(chunk):
                watch.check()
                unpacked += len(piece)
                if max(arrived, unpacked) > limit:
                    raise self._too_big()
                yield piece
        if response.length:  # fewer bytes than were promised; `read` with a size does not say so
            raise Unreachable("cut", host=place.host)
        yield unpacking.rest()

    def _too_big(self) -> Refused:
        return Refused("too_big", limit=max(1, self._limits.bytes // 1_000_000))


def _chunks(response: http.client.HTTPResponse, host: str) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK):
            yield chunk
    except ValueError:  # a chunk of -5 bytes
        raise Refused("nonsense", host=host) from None


class _Unpacking:
    """gzip and deflate, a bounded piece at a time: a bomb is noticed after 64 KB too much of it."""

    def __init__(self, host: str, encoding: str) -> None:
        self._host, self._encoding = host, encoding
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise Refused("packed", host=host, encoding=encoding[:40])
        self._plain = encoding in ("", "identity")
        self._begun = False
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by its first bytes

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if self._plain:
            yield data
            return
        if not self._begun and self._encoding == "deflate" and data[:1] and data[0] & 0x0F != 8:
            self._unpack = zlib.decompressobj(-zlib.MAX_WBITS)  # what some servers call deflate
        self._begun = True
        while data:
            if self._unpack.eof:
                if not data.startswith(b"\x1f\x8b"):
                    return  # padding after the end
                self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # a further member
            try:
                yield self._unpack.decompress(data, CHUNK)
            except zlib.error:
                raise Refused("packed", host=self._host, encoding=self._encoding) from None
            data = self._unpack.unconsumed_tail or self._unpack.unused_data

    def rest(self) -> bytes:
        """At most some kilobytes are still inside. Raises where the packed stream was not whole."""
        if self._plain or not self._begun:
            return b""
        last = self._unpack.flush()
        if not self._unpack.eof:
            raise Unreachable("cut", host=self._host)
        return last


def _head(place: Target, request: _Request) -> bytes:
    lines = {
        "Host": place.authority,
        "User-Agent": AGENT,
        "Accept": ", ".join((*request.accept, "*/*;q=0.1")) if request.accept else "*/*",
        "Accept-Language": "en, es;q=0.9",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "close",
        **request.headers,
    }
    if request.body or request.method == "POST":
        lines["Content-Length"] = str(len(request.body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    if head.count("\r\n") != len(lines) or "\n" in head.replace("\r\n", ""):
        raise ValueError("a header may not hold a line break")
    return f"{request.method} {place.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1")


def _joined(place: Target, location: str) -> Target:
    try:
        return target(urljoin(place.url, location))
    except ValueError:
        raise Refused("not_a_url") from None


def _wanted(kind: str, accept: Sequence[str]) -> bool:
    return not accept or any(kind == one or (one.endswith("/*") and kind.startswith(one[:-1])) for one in accept)


def _system(host: str, port: int) -> list[str]:
    return [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@cache
def _trusted() -> ssl.SSLContext:
    """The system's authorities (a company's own among them) and Mozilla's, which some systems' Python lacks."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
