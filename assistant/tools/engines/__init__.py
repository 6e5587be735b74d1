"""Search engines of the web: one file each, one table. In: a query. Out: hits, or one sentence why there are none.

    ENGINES["duckduckgo"].search("lighthouse", 5, Asking(egress)) → [Hit("Lighthouse", "https://…", "A light …")]

Each speaks to its own address through the one Egress. Knows nothing of switches or of who may search.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import unescape
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from assistant.sentences import speaker
from assistant.tools.tool import ToolError
from knowledge.web.egress import Egress, Fetched

say = speaker(
    {
        "blocked": (
            "{engine} takes this for a robot and answers with a puzzle instead of results. Wait a while, or choose "
            "another search engine under Tools.",
            "{engine} toma esto por un robot y responde con un acertijo en lugar de resultados. Espera un rato o elige "
            "otro buscador en Herramientas.",
        ),
        "limited": (
            "{engine} allows no more searches for now. Wait a while, or choose another search engine under Tools.",
            "{engine} no permite más búsquedas por ahora. Espera un rato o elige otro buscador en Herramientas.",
        ),
        "key": (
            "{engine} refuses the key. Enter it again under Tools, whole, or choose another search engine.",
            "{engine} rechaza la clave. Escríbela de nuevo en Herramientas, entera, o elige otro buscador.",
        ),
        "no_key": (
            "{engine} needs a key and there is none: enter it under Tools, or choose another search engine.",
            "{engine} necesita una clave y no la hay: escríbela en Herramientas o elige otro buscador.",
        ),
        "no_address": (
            "{engine} needs the address of a server: enter it under Tools, or choose another search engine.",
            "{engine} necesita la dirección de un servidor: escríbela en Herramientas o elige otro buscador.",
        ),
        "no_json": (
            "{engine} is not set up to answer programs: add json to `search.formats` in its settings.yml.",
            "{engine} no está configurado para programas: añade json a `search.formats` en su settings.yml.",
        ),
        "broken": (
            "{engine} answers something unexpected (status {status}). Try again later, or choose another search engine "
            "under Tools.",
            "{engine} responde algo inesperado (estado {status}). Inténtalo más tarde o elige otro buscador en "
            "Herramientas.",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Hit:
    title: str  # one line
    url: str  # http or https
    snippet: str  # plain text


@dataclass(frozen=True, slots=True)
class Asking:
    """What one search is lent. `address`: instead of the engine's own; its server may then be a private one."""

    egress: Egress
    key: str | None = field(default=None, repr=False)
    address: str = ""
    language: str = "en"
    stop: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    name: str
    title: str
    address: str  # "": the person names one
    key: str = ""  # whose key of assistant.models.keys it needs; "": none

    def search(self, query: str, count: int, asking: Asking) -> list[Hit]:
        """At most `count` hits, best first; ToolError says why there can be none."""
        if self.key and not asking.key:
            raise failure("no_key", self)
        if not (self.address or asking.address):
            raise failure("no_address", self)
        ask: Callable[[str, int, Asking, Engine], Iterable[Hit]]
        ask = import_module(f"assistant.tools.engines.{self.name}").search
        return [hit for hit in ask(query, count, asking, self) if hit.url.startswith(("http://", "https://"))][:count]


_ALL = (
    Engine("duckduckgo", "DuckDuckGo", "https://html.duckduckgo.com"),
    Engine("wikipedia", "Wikipedia", "https://{language}.wikipedia.org"),
    Engine("brave", "Brave Search", "https://api.search.brave.com", key="brave"),
    Engine("tavily", "Tavily", "https://api.tavily.com", key="tavily"),
    Engine("searxng", "SearXNG", ""),
)
ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in _ALL}
DEFAULT = "duckduckgo"


def failure(key: str, engine: Engine, **values: object) -> ToolError:
    given = {"engine": engine.title, **values}
    return ToolError(say(key, "en", **given), spanish=say(key, "es", **given))


def url(engine: Engine, asking: Asking, path: str, query: Mapping[str, object] | None = None) -> str:
    base = (asking.address or engine.address.format(language=asking.language)).rstrip("/")
    return f"{base}{path}" + (f"?{urlencode(query)}" if query else "")


def answered(engine: Engine, fetched: Fetched) -> Fetched:
    """Raises for what every engine says by its status."""
    if fetched.status in (429, 432, 433):
        raise failure("limited", engine)
    if fetched.status in (401, 403) and engine.key:
        raise failure("key", engine)
    if not fetched.ok:
        raise failure("broken", engine, status=fetched.status)
    return fetched


def rows(engine: Engine, fetched: Fetched, *path: str) -> list[dict[str, Any]]:
    """The list of objects that lies at `path` of a JSON answer. Missing: none were found."""
    try:
        found = json.loads(answered(engine, fetched).body)
    except (ValueError, RecursionError):
        raise failure("broken", engine, status=fetched.status) from None
    for name in path:
        if not isinstance(found, dict):
            raise failure("broken", engine, status=fetched.status)
        found = found.get(name, [] if name == path[-1] else {})
    if not isinstance(found, list):
        raise failure("broken", engine, status=fetched.status)
    return [row for row in found if isinstance(row, dict)]


def plain(value: object, most: int = 400) -> str:
    """One line without tags: "a <b>lighthouse</b> &amp; its light" → "a lighthouse & its light"."""
    text = unescape(re.sub(r"<[^<>]{0,500}>", "", value[:4_000])) if isinstance(value, str) else ""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
