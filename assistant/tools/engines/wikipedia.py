"""Wikipedia, without a key: the search of the encyclopedia in the person's language.

GET /w/api.php?action=query&list=search → {"query": {"search": [{"title", "snippet": "… <span>…</span>"}]}}
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from assistant.tools.engines import Asking, Engine, Hit, plain, rows, url


def search(query: str, count: int, asking: Asking, engine: Engine) -> Iterator[Hit]:
    asked = {"action": "query", "list": "search", "srsearch": query, "srlimit": count, "format": "json", "utf8": 1}
    fetched = asking.egress.get(url(engine, asking, "/w/api.php", asked), stop=asking.stop)
    for row in rows(engine, fetched, "query", "search"):
        title = plain(row.get("title"), 200)
        place = f"https://{asking.language}.wikipedia.org/wiki/{quote(title.replace(' ', '_'))}"
        if title:
            yield Hit(title, place, plain(row.get("snippet")))
