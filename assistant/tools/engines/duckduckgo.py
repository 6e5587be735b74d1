"""DuckDuckGo, without a key: the page it has for browsers without scripts (html.duckduckgo.com), read with lxml.

    <div class="result results_links …"><a class="result__a" href="//duckduckgo.com/l/?uddg=https%3A%2F%2F…">title</a>
    <a class="result__snippet">text</a></div>

It is no API: from an address that asks much, it answers 202 with a puzzle (class "anomaly-modal"); that is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from assistant.tools.engines import Asking, Engine, Hit, answered, failure, plain, url

_REGION = {"en": "wt-wt", "es": "es-es"}  # everywhere; Spain


def search(query: str, count: int, asking: Asking, engine: Engine) -> Iterator[Hit]:
    region = _REGION.get(asking.language, "wt-wt")
    address = url(engine, asking, "/html/", {"q": query, "kl": region})
    fetched = asking.egress.get(address, stop=asking.stop)
    page = _parsed(fetched.body)
    if (
        fetched.status == 202
        or _of(page, "anomaly-modal")
        or (page is not None and page.xpath("//form[@id='challenge-form']"))
    ):
        raise failure("blocked", engine)
    answered(engine, fetched)
    results = _of(page, "result")
    if not results and not _of(page, "no-results"):
        raise failure("broken", engine, status=fetched.status)
    for result in results:
        link = next(iter(_of(result, "result__a")), None)
        if link is None or "result--ad" in (result.get("class") or ""):
            continue
        snippet = next(iter(_of(result, "result__snippet")), None)
        where = _where(link.get("href") or "")
        if where:
            text = plain(snippet.text_content()) if snippet is not None else ""
            yield Hit(plain(link.text_content(), 200), where, text)


def _parsed(body: bytes) -> Any:
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    try:
        return document_fromstring(body or b" ", parser=HTMLParser(encoding="utf-8", no_network=True))
    except (etree.LxmlError, ValueError):
        return None


def _of(element: Any, name: str) -> list[Any]:
    """Elements below with this class among theirs."""
    if element is None:
        return []
    return list(element.xpath(f".//*[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]"))


def _where(link: str) -> str:
    """What a result leads to, without DuckDuckGo's own step between; "" for its advertisements."""
    parts = urlsplit(link)
    if parts.netloc.endswith("duckduckgo.com") or (not parts.netloc and parts.path.startswith("/l/")):
        return next(iter(parse_qs(parts.query).get("uddg", [])), "")
    return link
