"""What no URL holds and no server says is refused with a sentence, and takes no more memory than a page may."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from knowledge.web.egress import Egress, Limits
from tests.knowledge.test_egress import key
from tests.websites import Website


def loopback(limits: Limits | None = None) -> Egress:
    return Egress(lambda name, port: ["127.0.0.1"], ("127.0.0.1",), limits=limits or Limits())


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as site:
        yield site


def test_half_a_character_in_an_address_is_refused() -> None:
    for url in ("http://good.example/\ud800", "http://good.example/?q=\ud800", "http://\udfff.example/"):
        assert key(lambda url=url: Egress(lambda name, port: ["93.184.215.14"]).get(url)) in ("not_a_url", "host")


@pytest.mark.parametrize("size", ["-5", "- 1", "+", "five"])
def test_a_chunk_of_a_size_that_is_none_is_nonsense(site: Website, size: str) -> None:
    site.say["/"] = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nabcde\r\n0\r\n\r\n".encode()
    assert key(lambda: loopback().get(f"http://127.0.0.1:{site.port}/")) == "nonsense"


@pytest.mark.parametrize("size", [b"-1", b"1"])
def test_chunks_without_end_are_cut_off(site: Website, size: bytes) -> None:
    """A chunk of -1 bytes is read to its end by the standard library, and there is none; nor of chunks of one byte."""
    sent, ended = 0, threading.Event()

    def pour(line: socket.socket) -> None:
        nonlocal sent
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"-1\r\n" + b"0" * 60_000 if size == b"-1" else b"1;" + b"x" * 60_000 + b"\r\n0\r\n"
        try:
            while sent < 50_000_000:
                line.sendall(piece)
                sent += len(piece)
        except OSError:
            ended.set()

    site.say["/"] = pour
    small = loopback(Limits(bytes=1_000_000))
    assert key(lambda: small.get(f"http://127.0.0.1:{site.port}/")) == "too_big"
    assert ended.wait(5)
    assert sent < 20_000_000
