"""Tavily, with a key.

POST /search {"query", "max_results"}, Authorization: Bearer … → {"results": [{"title", "url", "content"}]}
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from assistant.tools.engines import Asking, Engine, Hit, plain, rows, url


def search(query: str, count: int, asking: Asking, engine: Engine) -> Iterator[Hit]:
    body = json.dumps({"query": query, "max_results": count}).encode()
    headers = {"Authorization": f"Bearer {asking.key}"}
    fetched = asking.egress.post(url(engine, asking, "/search"), body, headers=headers, stop=asking.stop)
    for row in rows(engine, fetched, "results"):
        yield Hit(plain(row.get("title"), 200), str(row.get("url") or ""), plain(row.get("content")))
