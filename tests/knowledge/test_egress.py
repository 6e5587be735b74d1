"""Nothing private is reached, in any spelling, by any redirect or name; nothing is larger or slower than allowed."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from knowledge.web.addresses import public, target
from knowledge.web.egress import AGENT, Egress, Limits
from knowledge.web.wire import ourselves
from knowledge.web.words import Refused, Unreachable, WebError
from tests.websites import Website, answer, certificate, moved

LOOPBACK = ("127.0.0.1",)
QUICK = Limits(seconds=1.0)


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as site:
        site.say["/"] = answer("<p>hello")
        yield site


@pytest.fixture
def egress() -> Egress:
    return Egress(resolve=lambda name, port: ["127.0.0.1"], allow=LOOPBACK)


def key(act: Callable[[], object]) -> str:
    """Of the sentence that it ends with; there is one in each language, without a gap."""
    with pytest.raises(WebError) as raised:
        act()
    english, spanish = str(raised.value), raised.value.said("es")
    assert english != spanish
    assert "{" not in english + spanish
    return raised.value.key


# ── what is private ──────────────────────────────────────────────────────────────────────────────────────────────

SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0177.0.0.1", "0177.1", "0x7f.1", "0x7F000001", "0x7f.0x0.0x0.0x1",
    "017700000001", "127.0.0.1.", "127.255.255.254", "0", "0.0.0.0", "0x", "00000177.0.0.1", "127.0x1",
    "１２７.０.０.１", "①②⑦.0.0.1", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "127.0.0.\u00ad1", "0𝐱7f.1",
    "10.0.0.1", "10.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.168.257", "100.64.0.1", "100.127.255.255",
    "169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "168.63.129.16",
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.0.0.1", "192.88.99.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "4294967295",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:10.0.0.1]", "[::127.0.0.1]",
    "[::ffff:169.254.169.254]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]",
    "[2002:a00:1::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]",
    "[fec0::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]",
    "[2606:4700::5efe:127.0.0.1]", "[2606:4700::200:5efe:10.0.0.1]",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
@pytest.mark.parametrize("scheme", ["http", "HTTPS"])
def test_a_private_address_is_refused_in_every_spelling_and_nothing_is_looked_up(scheme: str, host: str) -> None:
    def resolve(name: str, port: int) -> list[str]:
        raise AssertionError(f"{name} was looked up")

    assert key(lambda: Egress(resolve).get(f"{scheme}://{host}/latest/meta-data")) == "private"


@pytest.mark.parametrize("host", [spelling for spelling in SPELLINGS if "%" not in spelling])
def test_a_name_that_leads_to_a_private_address_is_refused(host: str) -> None:
    address = str(target(f"http://{host}/").literal)
    for answers in ([address], ["93.184.215.14", address], [address, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]):
        assert key(lambda answers=answers: Egress(lambda name, port: answers).get("http://good.example/")) == "private"


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST", "localhost.", "ｌｏｃａｌｈｏｓｔ", "Loc\u00adalhost", "ⓛocalhost"]
)
def test_the_machines_own_names_are_refused_by_the_systems_own_look_up(name: str) -> None:
    assert key(lambda: Egress().get(f"http://{name}/")) == "private"


def test_a_scoped_address_from_the_look_up_is_refused() -> None:
    assert key(lambda: Egress(lambda name, port: ["fe80::1%eth0"]).get("http://good.example/")) == "private"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://good.example@127.0.0.1/", "userinfo"), ("http://127.0.0.1@good.example/", "userinfo"),
        ("http://a:b@good.example/", "userinfo"), ("http://good.example\\@127.0.0.1/", "userinfo"),
        ("http://good.example\\.127.0.0.1/", "not_a_url"),
        ("http://%31%32%37.0.0.1/", "host"), ("http://127%2e0%2e0%2e1/", "host"), ("http://[fe80::1%25eth0]/", "host"),
        ("http://localhost%00.example/", "host"), ("http://[::1/", "not_a_url"), ("http://[127.0.0.1]/", "not_a_url"),
        ("http://1.2.3.4.5/", "host"), ("http://256.1.1.1/", "host"), ("http://1.2.3.999/", "host"),
        ("http://4294967296/", "host"), ("http://0x100000000/", "host"), ("http://127.0.0.08/", "host"),
        ("http://a..b/", "host"), ("http://-a.example/", "host"), ("http://a b.example/", "host"),
        ("http://good.example/\r\nX: y", "not_a_url"), ("http://good.exam\nple/", "not_a_url"),
        ("http:///etc/passwd", "not_a_url"), ("http://", "not_a_url"), ("", "not_a_url"), ("good.example", "not_a_url"),
        ("//good.example/", "not_a_url"), ("http://good.example:99999/", "not_a_url"),
        ("http://good.example:0/", "not_a_url"), ("http://good.example:x/", "not_a_url"),
        ("file:///etc/passwd", "scheme"), ("ftp://good.example/", "scheme"), ("gopher://good.example/", "scheme"),
        ("javascript:alert(1)", "scheme"), ("data:text/html,x", "scheme"), ("ws://good.example/", "scheme"),
        ("http://" + "a" * 5000 + "/", "not_a_url"), ("http://" + "a" * 64 + ".example/", "host"),
        ("http://" + "a." * 200 + "example/", "host"),
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused_before_anything_is_opened(url: str, said: str) -> None:
    assert key(lambda: Egress(lambda name, port: ["127.0.0.1"]).get(url)) == said


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 3306])
def test_only_the_webs_ports_are_asked(port: int) -> None:
    resolved = Egress(lambda name, port: ["93.184.215.14"])
    assert key(lambda: resolved.get(f"http://good.example:{port}/")) == "port"
    assert key(lambda: resolved.get(f"http://93.184.215.14:{port}/")) == "port"


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::8.8.8.8",
                "::ffff:8.8.8.8", "2a00:1450:4001::200e"],
)  # fmt: skip
def test_a_public_address_is_public(address: str) -> None:
    assert public(ipaddress.ip_address(address))


def test_whatever_the_standard_library_calls_private_is_not_public() -> None:
    """Addresses at and around every border of its own lists."""
    borders = {int(network[0]) for network in ipaddress._IPv4Constants._private_networks}  # type: ignore[attr-defined]
    borders |= {int(network[-1]) for network in ipaddress._IPv4Constants._private_networks}  # type: ignore[attr-defined]
    for number in {near for border in borders for near in (border - 1, border, border + 1) if 0 <= near < 2**32}:
        address = ipaddress.IPv4Address(number)
        assert not (public(address) and address.is_private)


def test_one_spelling_is_what_is_asked(site: Website, egress: Egress) -> None:
    """Host header and path are of the checked URL, not of what was typed; spaces and letters are encoded."""
    place = target("HTTP://ＥＸÁＭＰＬＥ.com.:80/a b/ñ?q=sí&x=%20#fragment")
    assert place.url == "http://xn--exmple-qta.com/a%20b/%C3%B1?q=s%C3%AD&x=%20"
    assert target("https://faß.de/").host == "xn--fa-hia.de"
    assert target("http://[2606:4700:0:0::1111]:443/").authority == "[2606:4700::1111]:443"


# ── where the line goes ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_line_goes_to_the_address_that_was_checked_and_no_name_is_looked_up_twice(site: Website) -> None:
    """A name that is rebound between the check and the connection."""
    asked: list[str] = []

    def rebinding(name: str, port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    fetched = Egress(rebinding, LOOPBACK).get(f"http://rebound.example:{site.port}/")
    assert (fetched.status, fetched.body) == (200, b"<p>hello")
    assert asked == ["rebound.example"]
    assert site.asked[0].headers["host"] == f"rebound.example:{site.port}"


def test_a_redirect_is_checked_like_the_first_address_name_look_up_included(site: Website) -> None:
    """The second look-up is for the second hop, and it is checked again."""
    site.say["/"] = moved("/again")
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    assert (
        key(lambda: Egress(lambda name, port: next(answers), LOOPBACK).get(f"http://a.example:{site.port}/"))
        == "private"
    )


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("http://10.0.0.1/", "private"), ("http://[::1]/", "private"), ("//0x7f.2/", "private"),
        ("http://127.2:80/", "private"), ("http://169.254.169.254/latest/meta-data", "private"),
        ("file:///etc/passwd", "scheme"), ("ftp://a.example/", "scheme"), ("gopher://127.0.0.1:6379/_x", "scheme"),
        ("http://93.184.215.14:22/", "port"), ("http://user@127.0.0.1/", "userinfo"), ("http://[", "not_a_url"),
        ("data:text/html,x", "scheme"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_where_the_first_address_could_not(
    site: Website, egress: Egress, to: str, said: str, status: int
) -> None:
    site.say["/"] = moved(to, status)
    assert key(lambda: egress.get(site.url)) == said
    assert len(site.asked) == 1


def test_five_redirects_are_followed_and_a_sixth_is_not(site: Website, egress: Egress) -> None:
    for number in range(6):
        site.say[f"/{number}"] = moved(f"{number + 1}")
    site.say["/6"] = answer("end")
    assert egress.get(f"{site.url}/1").url == f"{site.url}/6"
    site.asked.clear()
    assert key(lambda: egress.get(f"{site.url}/0")) == "redirects"
    assert len(site.asked) == 6
    site.say["/loop"] = moved("/loop")
    assert key(lambda: egress.get(f"{site.url}/loop")) == "redirects"


def test_a_request_that_carries_a_key_is_not_sent_on_to_another_server(site: Website, egress: Egress) -> None:
    with Website() as other:
        site.say["/"] = moved(other.url)
        site.say["/same"] = moved("/end")
        site.say["/end"] = answer("end")
        assert key(lambda: egress.get(site.url, headers={"X-Token": "secret"})) == "elsewhere"
        assert other.asked == []
        assert egress.get(f"{site.url}/same", headers={"X-Token": "secret"}).body == b"end"
        assert egress.post(site.url, b"{}", headers={"X-Token": "secret"}).status == 302
        assert other.asked == []


def test_what_is_sent_is_plain_and_honest_and_holds_no_cookie(
    site: Website, egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    site.say["/"] = answer("x", 302, Set_Cookie="a=b; Path=/", Location="/next")
    site.say["/next"] = answer("y")
    assert egress.get(site.url).body == b"y"
    for asked in site.asked:
        assert not {"cookie", "authorization", "referer", "proxy-authorization"} & asked.headers.keys()
        assert asked.headers["user-agent"] == AGENT
        assert "afina" in AGENT


def test_a_header_with_a_line_break_is_a_bug_and_is_not_sent(site: Website, egress: Egress) -> None:
    with pytest.raises(ValueError):
        egress.get(site.url, headers={"X": "a\r\nHost: evil"})
    assert site.asked == []


def test_an_exception_may_be_one_port_of_one_name(site: Website) -> None:
    def resolve(name: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    assert Egress(resolve).allowing(f"search.box:{site.port}").get(f"http://search.box:{site.port}/").ok
    assert key(lambda: Egress(resolve, ["search.box:1"]).get(f"http://search.box:{site.port}/")) == "private"
    assert key(lambda: Egress(resolve, ["search.box"]).get(f"http://other.box:{site.port}/")) == "private"


def test_a_line_whose_both_ends_are_this_machine_is_known(site: Website) -> None:
    """What keeps out a server that listens on the machine's own public address."""
    with socket.create_connection(("127.0.0.1", site.port)) as line:
        assert ourselves(line)


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_certificate_must_be_the_names_own(tmp_path: Path) -> None:
    server, authority = certificate(tmp_path, "good.example", "127.0.0.1")
    trusting = ssl.create_default_context(cafile=authority)
    with Website(tls=server) as site:
        site.say["/"] = answer("secret")

        def get(name: str, context: ssl.SSLContext | None) -> bytes:
            egress = Egress(lambda name, port: ["127.0.0.1"], LOOPBACK, context=context)
            return egress.get(f"https://{name}:{site.port}/").body

        assert get("good.example", trusting) == b"secret"
        assert get("127.0.0.1", trusting) == b"secret"
        assert key(lambda: get("evil.example", trusting)) == "certificate"
        assert key(lambda: get("good.example", None)) == "certificate"
        assert len(site.asked) == 2, "nothing was sent before the certificate was checked"


def test_a_server_that_speaks_no_tls_or_falls_silent_in_it_is_a_sentence(site: Website) -> None:
    egress = Egress(lambda name, port: ["127.0.0.1"], LOOPBACK, limits=QUICK)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert key(lambda: egress.get(f"https://a.example:{silent.getsockname()[1]}/")) == "slow"
    site.say["/"] = answer("x")
    assert key(lambda: egress.get(f"https://a.example:{site.port}/")) in ("no_answer", "slow")


# ── too much, too slow, torn ─────────────────────────────────────────────────────────────────────────────────────


def _bomb(megabytes: int, wrap: int) -> bytes:
    packing = zlib.compressobj(9, wbits=wrap)
    zeros = b"\0" * 1_000_000
    return b"".join(packing.compress(zeros) for _ in range(megabytes)) + packing.flush()


@pytest.mark.parametrize(("encoding", "wrap"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_bomb_is_noticed_before_it_is_unpacked(site: Website, egress: Egress, encoding: str, wrap: int) -> None:
    import tracemalloc

    site.say["/"] = answer(_bomb(200, wrap), Content_Encoding=encoding)
    tracemalloc.start()
    try:
        assert key(lambda: egress.get(site.url)) == "too_big"
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_ten_megabytes_are_read_and_one_byte_more_is_not(site: Website, egress: Egress) -> None:
    most = Limits().bytes
    site.say["/"] = answer(b"x" * most)
    assert len(egress.get(site.url).body) == most
    site.say["/"] = answer(b"x" * (most + 1))
    assert key(lambda: egress.get(site.url)) == "too_big"
    site.say["/"] = answer(b"x" * (most + 1), Content_Length="")
    assert key(lambda: egress.get(site.url)) == "too_big", "also where the server does not say how much it sends"


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:])])
def test_packed_text_is_unpacked_whole(site: Website, egress: Egress, pack: Callable[[bytes], bytes]) -> None:
    text = "Ñandú, ".encode() * 50_000
    site.say["/"] = answer(pack(text), Content_Encoding="gzip")
    assert egress.get(site.url).body == text


@pytest.mark.parametrize(("encoding", "body", "said"), [
    ("br", b"x", "packed"), ("gzip, gzip", b"x", "packed"), ("gzip", b"not gzip at all", "packed"),
    ("gzip", gzip.compress(b"x" * 1000)[:-12], "cut"),
])  # fmt: skip
def test_what_cannot_be_unpacked_is_a_sentence(
    site: Website, egress: Egress, encoding: str, body: bytes, said: str
) -> None:
    site.say["/"] = answer(body, Content_Encoding=encoding)
    assert key(lambda: egress.get(site.url)) == said


def _drip(first: bytes) -> Callable[[socket.socket], None]:
    def drip(line: socket.socket) -> None:
        line.sendall(first)
        while True:
            line.sendall(b"x")
            time.sleep(0.05)

    return drip


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\nX-", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"],
    ids=["silent", "headers", "body"],
)  # fmt: skip
def test_a_server_that_drips_is_given_up_when_the_time_is_over(site: Website, first: bytes) -> None:
    site.say["/"] = _drip(first) if first else (lambda line: time.sleep(30))
    began = time.monotonic()
    assert key(lambda: Egress(allow=LOOPBACK, limits=QUICK).get(site.url)) == "slow"
    assert time.monotonic() - began < 3


def test_redirects_share_one_time(site: Website) -> None:
    def later(line: socket.socket) -> None:
        time.sleep(0.4)
        line.sendall(moved("/"))

    site.say["/"] = later
    assert key(lambda: Egress(allow=LOOPBACK, limits=QUICK).get(site.url)) == "slow"


def test_a_stop_is_honoured_within_a_second_while_looking_up_and_while_reading(site: Website) -> None:
    site.say["/"] = _drip(b"HTTP/1.1 200 OK\r\n\r\n")
    holding = threading.Event()

    def slow(name: str, port: int) -> list[str]:
        holding.wait(10)
        return ["127.0.0.1"]

    for url, resolve in ((site.url, None), ("http://a.example/", slow)):
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()
        egress = Egress(resolve, LOOPBACK)
        assert key(lambda egress=egress, url=url, stop=stop: egress.get(url, stop=stop)) == "stopped"
        assert time.monotonic() - began < 1.2
    holding.set()


def _endless_headers(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        line.sendall(f"X-{number}: {'y' * 1000}\r\n".encode())


def _reset(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ("headers", _endless_headers),
        ("headers", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"),
        ("headers", b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000),
        ("nonsense", b"SSH-2.0-OpenSSH_9.6\r\n"),
        ("nonsense", b"\0\1\2\3"),
        ("nonsense", b""),
        ("cut", _reset),
        ("cut", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        ("cut", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nhalf"),
        ("nonsense", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf"),
    ],
)
def test_a_server_that_speaks_badly_is_a_sentence(site: Website, egress: Egress, said: str, spoken: object) -> None:
    site.say["/"] = spoken  # type: ignore[assignment]
    found = key(lambda: egress.get(site.url))
    assert found == said or {found, said} == {"cut", "nonsense"}


def test_a_port_where_nobody_listens_and_a_name_that_is_not_there(egress: Egress) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert key(lambda: egress.get(f"http://127.0.0.1:{port}/")) == "no_answer"

    def nowhere(name: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    for resolve in (nowhere, lambda name, port: [], lambda name, port: ["no address"]):
        assert key(lambda resolve=resolve: Egress(resolve).get("http://a.example/")) == "unknown_name"


def test_the_next_address_is_tried_where_one_does_not_answer(site: Website) -> None:
    egress = Egress(lambda name, port: ["::1", "127.0.0.1"], ["a.example"])
    assert egress.get(f"http://a.example:{site.port}/").ok


def test_a_kind_that_is_not_wanted_is_refused_before_it_is_read(site: Website, egress: Egress) -> None:
    site.say["/"] = _drip(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n")
    assert key(lambda: egress.get(site.url, accept=("text/html", "text/*"))) == "not_text"
    site.say["/"] = answer("x", kind="text/plain; charset=ISO-8859-1")
    fetched = egress.get(site.url, accept=("text/*",))
    assert (fetched.kind, fetched.charset) == ("text/plain", "iso-8859-1")
    assert site.asked[-1].headers["accept"].startswith("text/*")
    site.say["/"] = answer(b"\1", 404, kind="video/mp4")
    assert egress.get(site.url, accept=("text/*",)).status == 404


def test_errors_say_who_acts() -> None:
    for kind in (Refused, Unreachable):
        assert issubclass(kind, KnowledgeError)
    assert str(Refused("private", host="a", address="10.0.0.1")) != str(Refused("userinfo"))
