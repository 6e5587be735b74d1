"""SearXNG, a person's own or a friend's, by its address.

GET /search?q=…&format=json → {"results": [{"title", "url", "content"}]}; 403 where JSON is not switched on.
"""

from __future__ import annotations

from collections.abc import Iterator

from assistant.tools.engines import Asking, Engine, Hit, failure, plain, rows, url


def search(query: str, count: int, asking: Asking, engine: Engine) -> Iterator[Hit]:
    asked = {"q": query, "format": "json", "language": asking.language}
    fetched = asking.egress.get(url(engine, asking, "/search", asked), stop=asking.stop)
    if fetched.status == 403:
        raise failure("no_json", engine)
    for row in rows(engine, fetched, "results"):
        yield Hit(plain(row.get("title"), 200), str(row.get("url") or ""), plain(row.get("content")))
