"""Whatever lies at an address becomes text a person would read, or one sentence; hostile pages take bounded time."""

from __future__ import annotations

import codecs
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.web.egress import Egress, Fetched
from knowledge.web.page import READABLE, PageText, decoded, text_of
from knowledge.web.words import Refused, Unreachable, WebError
from tests.websites import Website, answer

ARTICLE = """<!doctype html><html lang="es-MX"><head><title>Un  título
 largo</title><meta charset="utf-8"><style>p {color: red}</style><script>var secret = 1;</script></head><body>
<nav><a href="/">Portada</a> <a href="/x">Contacto</a></nav>
<article><h1>Un título largo</h1>
<p>La primera frase del artículo dice que el faro de Ébano se construyó en 1903 con piedra de la isla.</p>
<p>La segunda frase cuenta que su luz se ve a treinta kilómetros &amp; que la cuida Inés&nbsp;Ñáñez desde 1998, con su
perro. El faro se puede visitar de mayo a septiembre, y la entrada cuesta tres euros.</p>
<ul><li>Abierto de mayo a septiembre</li></ul></article>
<footer>Todos los derechos reservados</footer></body></html>"""


def page(body: bytes | str, kind: str = "text/html", charset: str = "", status: int = 200) -> PageText:
    data = body.encode() if isinstance(body, str) else body
    return text_of(Fetched("https://a.example/b", status, kind, charset, data))


def test_an_article_is_read_without_what_surrounds_it() -> None:
    read = page(ARTICLE)
    assert read.title == "Un título largo"
    assert read.language == "es-mx"
    assert read.url == "https://a.example/b"
    assert "faro de Ébano se construyó en 1903" in read.text
    assert "kilómetros & que la cuida Inés" in read.text
    assert "Abierto de mayo" in read.text
    for other in ("Portada", "derechos", "secret", "color", "<", "&amp;"):
        assert other not in read.text


def test_a_page_without_an_article_is_read_whole_and_in_order() -> None:
    read = page("<p>one <b>two</b> three<p>four<br>five<table><tr><td>six</table>seven")
    assert " ".join(read.text.replace("|", " ").split()) == "one two three four five six seven"


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16", "koi8-r", "shift_jis"])
@pytest.mark.parametrize("said", ["header", "meta"])
def test_a_page_is_read_in_the_encoding_it_says(encoding: str, said: str) -> None:
    word = {"koi8-r": "маяк", "shift_jis": "灯台"}.get(encoding, "cañón")
    html = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={encoding}"></head><p>{word}</p>'
    assert word in page(html.encode(encoding), charset=encoding if said == "header" else "").text


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (codecs.BOM_UTF8 + "cañón".encode(), "iso-8859-1"),  # the mark wins
        (codecs.BOM_UTF16_BE + "cañón".encode("utf-16-be"), ""),
        ("cañón".encode(), ""),
        ("cañón".encode("cp1252"), ""),  # nothing is said, and it is no UTF-8
        ("cañón".encode("cp1252"), "latin1"),
        ("cañón".encode(), "no-such-encoding"),
        ("cañón".encode(), "unicode_escape"),  # codecs of Python's own are no encodings of the web
        ("cañón".encode(), "zlib"),
        (b'<meta charset="utf-16">' + "cañón".encode(), ""),  # who could read that was not reading UTF-16
    ],
)
def test_an_encoding_is_never_an_error(body: bytes, charset: str) -> None:
    assert "cañón" in decoded(Fetched("https://a.example/", 200, "text/html", charset, body))


def test_an_xhtml_page_that_declares_its_encoding_is_read() -> None:
    body = '<?xml version="1.0" encoding="iso-8859-1"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>cañón</p></body></html>'
    assert page(body.encode("iso-8859-1"), "application/xhtml+xml", "iso-8859-1").text == "cañón"


def test_plain_text_and_json_stand_as_they_are_without_controls() -> None:
    assert page("a <b>\r\n\r\n\r\n\x1b[31mred\0\n", "text/plain").text == "a <b>\n\n[31mred"
    assert page('{"a": 1}', "application/json").text == '{"a": 1}'
    assert page("no kind is said", "").text == "no kind is said"
    assert page("<!DOCTYPE html><p>no kind <b>is</b> said", "").text == "no kind is said"


def test_a_pdf_is_read_by_the_guarded_reader(make_pdf: Callable[..., Path]) -> None:
    body = make_pdf(["The lighthouse was built in 1903.", "It is seen from thirty kilometres."]).read_bytes()
    for kind in ("application/pdf", ""):
        read = page(body, kind)
        assert "built in 1903" in read.text
        assert "thirty kilometres" in read.text
        assert read.title == "b"
    with pytest.raises(Refused, match="docs add"):
        page(b"%PDF-1.7 and then nothing", "application/pdf")


@pytest.mark.parametrize(
    ("body", "kind", "status", "error"),
    [
        ("x", "text/html", 404, Refused), ("x", "text/html", 403, Refused), ("x", "text/html", 304, Refused),
        ("x", "text/html", 429, Unreachable), ("x", "text/html", 503, Unreachable),
        ("", "text/html", 200, Refused), ("<script>app()</script>", "text/html", 200, Refused),
        ("<!-- only -->", "text/html", 200, Refused), (" \n ", "text/plain", 200, Refused),
        ("GIF89a", "image/gif", 200, Refused), (b"\0\1\2\3", "", 200, Refused),
    ],
)  # fmt: skip
def test_what_holds_no_text_is_a_sentence_in_two_languages(
    body: bytes | str, kind: str, status: int, error: type[WebError]
) -> None:
    with pytest.raises(error) as raised:
        page(body, kind, status=status)
    assert str(raised.value) != raised.value.said("es")


def _much(piece: str, characters: int) -> str:
    return piece * (characters // len(piece))


@pytest.mark.parametrize(
    "piece",
    [
        "<div>", "<b>", "<blockquote><p>x ", "<table><tr><td>a", "<ul><li>a", "&amp;&lt;&eacute;&#0;&#x110000;", "<",
        "<a href='/x'>l</a> ", "<br>", "<!-- -->", "<!--", "<p><span><em>w</em></span> ", "<![CDATA[", "<p a='", "</p>",
        "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>&b;", "<meta ", "\0", "x", " ", "<svg><g>",
    ],
)  # fmt: skip
def test_ten_megabytes_of_anything_take_seconds_and_no_more(piece: str) -> None:
    began = time.monotonic()
    for body in (_much(piece, 10_000_000), f"<p>{_much(piece, 300_000)}"):
        with contextlib.suppress(WebError):
            assert len(page(body).text) <= 400_000
    assert time.monotonic() - began < 15


def test_an_entity_names_no_file() -> None:
    body = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>before &x; after</p>'
    for kind in ("text/html", "application/xhtml+xml"):
        assert "root:" not in page(body, kind).text


def test_from_the_wire_to_the_text() -> None:
    with Website() as site:
        site.say["/"] = answer(ARTICLE)
        site.say["/film"] = answer(b"\0", kind="video/mp4")
        egress = Egress(allow=["127.0.0.1"])
        assert "1903" in text_of(egress.get(site.url, accept=READABLE)).text
        with pytest.raises(Refused, match="video/mp4"):
            egress.get(f"{site.url}/film", accept=READABLE)
