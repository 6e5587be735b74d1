"""In: the toolbox, the keys, plain JSON. Out: rows of `afina web`: the search engines, and which one is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assistant.errors import ForPerson
from assistant.models.keys import Keys
from assistant.tools.engines import DEFAULT, ENGINES, Engine
from assistant.tools.toolbox import Toolbox
from assistant.tools.web_search import unknown
from knowledge.web.addresses import target
from knowledge.web.words import WebError


def web_engines(toolbox: Toolbox, keys: Keys) -> Iterator[dict[str, Any]]:
    """{engine, title, chosen, needs: "" | "key" | "address", address}; `needs`: what is still missing."""
    chosen = str(toolbox.chosen("web.engine") or DEFAULT)
    for engine in ENGINES.values():
        address = engine.address or str(toolbox.chosen(f"web.{engine.name}") or "")
        yield {
            "engine": engine.name,
            "title": engine.title,
            "chosen": engine.name == chosen,
            "needs": _missing(engine, keys, address),
            "address": address.format(language="…"),
        }


def web_use(toolbox: Toolbox, keys: Keys, *, engine: str, address: str = "") -> Iterator[dict[str, Any]]:
    """The same rows afterwards. `address`: of an engine that has none of its own (SearXNG)."""
    if engine not in ENGINES:
        raise unknown(engine)
    if address and not ENGINES[engine].address:
        try:
            toolbox.choose(f"web.{engine}", target(address).url.rstrip("/"))
        except WebError as error:
            raise ForPerson(str(error), spanish=error.said("es")) from None
    toolbox.choose("web.engine", engine)
    yield from web_engines(toolbox, keys)


def _missing(engine: Engine, keys: Keys, address: str) -> str:
    if engine.key and not keys.get(engine.key):
        return "key"
    return "" if address else "address"
