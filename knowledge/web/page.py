"""In: Fetched, whatever it holds. Out: PageText: what a person would read of it, or one sentence why there is nothing.

    HTML         the article alone, by trafilatura; where that finds none, or the page is very large, all text by lxml
    PDF          through the guarded reader, in a process of its own
    text, JSON   as it stands, in the encoding that it is in

Everything is bounded in time: libxml2 stops at 256 nested elements and is linear; trafilatura takes up to 0.14 seconds
per 1,000 elements (measured on rows of <div>), so that it is given no more than 20,000. Opens no socket.
"""

from __future__ import annotations

import codecs
import re
import tempfile
import threading
import unicodedata
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.web.egress import Fetched
from knowledge.web.words import Refused, Unreachable

if TYPE_CHECKING:
    from lxml.html import HtmlElement

READABLE = ("text/html", "application/xhtml+xml", "text/*", "application/json", "application/xml", "application/pdf")
LONGEST = 400_000  # characters of text kept
ARTICLE = 20_000  # elements, the most that trafilatura is given
PDF_PAGES = 200
_HTML = ("text/html", "application/xhtml+xml")
_SNIFFED = 2_048  # bytes
_META = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,30})", re.IGNORECASE)
_CHARSET = re.compile(
    r"utf-?8|utf-?16(?:le|be)?|us-ascii|latin-?1|macintosh|iso-?8859-\d{1,2}|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5|euc-(?:jp|kr)|shift_jis|iso-2022-jp"
)
_LATIN = ("us-ascii", "latin-1", "latin1", "iso-8859-1", "iso8859-1")  # browsers read all of them as Windows does
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNREAD = "//script|//style|//noscript|//template|//svg|//nav|//footer|//aside|//form|//iframe|//button|//select"
_BLOCKS = frozenset(
    (
        "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "h1", "h2", "h3",
        "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PageText:
    title: str  # one line; "" where there is none
    text: str = field(repr=False)
    url: str = ""
    language: str = ""  # as the page says: "en", "es-mx"; "" where it does not


def text_of(fetched: Fetched, *, stop: threading.Event | None = None) -> PageText:
    """Raises Refused or Unreachable with a sentence."""
    host = fetched.url.partition("://")[2].partition("/")[0]
    if fetched.status == 429 or fetched.status >= 500:
        raise Unreachable("overloaded", host=host, status=fetched.status)
    if not fetched.ok:
        raise Refused("status", host=host, status=fetched.status)
    kind = fetched.kind or _sniffed(fetched.body)
    if kind == "application/pdf":
        page = _of_pdf(fetched, stop)
    elif kind in _HTML:
        page = _of_html(decoded(fetched), fetched.url)
    elif kind.startswith("text/") or kind.endswith(("json", "xml")):
        page = PageText("", decoded(fetched), fetched.url)
    else:
        raise Refused("not_text", kind=kind[:80])
    text = _tidy(page.text)
    if not text:
        raise Refused("empty")
    return PageText(_line(page.title), text, page.url, page.language)


def decoded(fetched: Fetched) -> str:
    """By its byte order mark, what the server says, what the page says; else UTF-8, else as Windows wrote it."""
    body = fetched.body
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    meta = _META.search(body[:_SNIFFED])
    for named in (fetched.charset, meta.group(1).decode("ascii", "replace") if meta else ""):
        name = named.strip().lower()
        if name and _CHARSET.fullmatch(name):
            if name.startswith("utf-16") and named != fetched.charset:
                name = "utf-8"  # whoever could read this <meta> was not reading UTF-16
            try:
                return body.decode("cp1252" if name in _LATIN else name, "replace")
            except LookupError:
                continue
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _sniffed(body: bytes) -> str:
    head = body[:_SNIFFED]
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if b"\0" in head and not head.startswith(_MARKS[1][0]) and not head.startswith(_MARKS[2][0]):
        return "application/octet-stream"
    return (
        "text/html" if re.search(rb"<(?:!doctype html|html|head|body|p|div)\b", head, re.IGNORECASE) else "text/plain"
    )


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_html(html: str, url: str) -> PageText:
    tree = _parsed(html)
    if tree is None:
        raise Refused("empty")
    title, language = _title(tree), str(tree.get("lang") or "").lower()[:20]
    article = _article(html) if sum(1 for _ in islice(tree.iter(), ARTICLE + 1)) <= ARTICLE else ""
    return PageText(title, article or _all_text(tree), url, language)


def _parsed(html: str) -> HtmlElement | None:
    """As UTF-8 bytes with that said: lxml refuses a text that declares an encoding of its own."""
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    try:
        parser = HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
        return document_fromstring(html.replace("\0", "").encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):  # an empty document, among others
        return None


def _article(html: str) -> str:
    """What trafilatura takes for the article; "" where it finds none or is not there."""
    try:
        from trafilatura import bare_extraction
    except ImportError:  # it needs a part of lxml that is a package of its own (lxml_html_clean)
        return ""
    tree = _parsed(html)  # a tree of its own: trafilatura takes it apart
    found: Any = bare_extraction(tree, fast=True, include_comments=False) if tree is not None else None
    return str(found.text or "") if found is not None else ""


def _title(tree: HtmlElement) -> str:
    for path in ("//meta[@property='og:title']/@content", "//head/title/text()", "//title/text()", "//h1//text()"):
        if text := _line(" ".join(map(str, tree.xpath(path)[:20]))):
            return text
    return ""


def _all_text(tree: HtmlElement) -> str:
    """The main part where the page marks one, without what surrounds a text."""
    for element in tree.xpath(_UNREAD):
        element.drop_tree()
    marked = [element for element in tree.xpath("//main|//article") if len(element.text_content().strip()) > 200]
    root = marked[0] if marked else (tree.find("body") if tree.find("body") is not None else tree)
    pieces: list[str] = []
    for happening, element in _walk(root):
        if element.tag in _BLOCKS:
            pieces.append("\n")
        if happening == "start" and element.text:
            pieces.append(element.text)
        if happening == "end" and element is not root and element.tail:
            pieces.append(element.tail)
    return "\n".join(" ".join(line.split()) for line in "".join(pieces).split("\n"))


def _walk(root: HtmlElement) -> Any:
    from lxml.etree import iterwalk

    return iterwalk(root, events=("start", "end"))


# ── other kinds ──────────────────────────────────────────────────────────────────────────────────────────────────


def _of_pdf(fetched: Fetched, stop: threading.Event | None) -> PageText:
    from knowledge import readers
    from knowledge.values import Page

    pages: list[str] = []
    limits = readers.Limits(pages=PDF_PAGES, seconds=20, seconds_at_most=20, characters=LONGEST)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.pdf"
        file.write_bytes(fetched.body)
        for item in readers.read(file, "pdf", limits=limits, stop=stop):
            if isinstance(item, Page):
                pages.append(item.text)
    if stop is not None and stop.is_set():
        raise Unreachable("stopped")
    if not pages:
        raise Refused("pdf")
    name = fetched.url.partition("?")[0].rpartition("/")[2]
    return PageText(name, "\n\n".join(pages), fetched.url)


def _tidy(text: str) -> str:
    """No controls, no space at line ends, at most one empty line in a row."""
    text = unicodedata.normalize("NFC", text[:LONGEST])
    text = "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs"))
    lines = [line.rstrip() for line in text.split("\n")]
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    return "\n".join(kept).strip()


def _line(text: str) -> str:
    return " ".join("".join(" " if unicodedata.category(one) == "Cc" else one for one in text[:2_000]).split())[:300]
