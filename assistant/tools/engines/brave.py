"""Brave Search, with a key.

GET /res/v1/web/search?q=…&count=…, header X-Subscription-Token
→ {"web": {"results": [{"title", "url", "description"}]}}
"""

from __future__ import annotations

from collections.abc import Iterator

from assistant.tools.engines import Asking, Engine, Hit, failure, plain, rows, url


def search(query: str, count: int, asking: Asking, engine: Engine) -> Iterator[Hit]:
    asked = {"q": query, "count": count, "search_lang": asking.language}
    headers = {"X-Subscription-Token": asking.key or "", "Accept": "application/json"}
    fetched = asking.egress.get(url(engine, asking, "/res/v1/web/search", asked), headers=headers, stop=asking.stop)
    if fetched.status == 422 and b"SUBSCRIPTION_TOKEN" in fetched.body:  # what it says of a wrong key
        raise failure("key", engine)
    for row in rows(engine, fetched, "web", "results"):
        yield Hit(plain(row.get("title"), 200), str(row.get("url") or ""), plain(row.get("description")))
