"""web_search: ask a search engine; titles, addresses and a line of each result.

    WebSearch(query="oldest lighthouse in Spain", count=5)

The engine is the person's choice (switch "web.engine"), DuckDuckGo without one. What comes back is strangers' text:
data, never instructions. Nothing is sent while the web is switched off; what is sent is the query, to that one engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import Field

from assistant.sentences import speaker
from assistant.tools.engines import DEFAULT, ENGINES, Asking, Engine, Hit
from assistant.tools.tool import Arguments, Effect, Result, Tool, ToolError, Work
from assistant.tools.web_page import Switches, as_tool_error, needs_web
from knowledge.web.addresses import target
from knowledge.web.egress import Egress
from knowledge.web.words import WebError

SPOKEN = 3  # hits, for a model that does not write the answer itself

say = speaker(
    {
        "found": ("{engine} found for “{query}”:", "{engine} encontró para «{query}»:"),
        "nothing": (
            "{engine} found nothing for “{query}”. Try fewer or other words.",
            "{engine} no encontró nada para «{query}». Prueba con menos palabras o con otras.",
        ),
        "empty": ("Say what to search for.", "Di qué hay que buscar."),
        "unknown": (
            "There is no search engine {engine!r}; there are {known}. Choose one under Tools.",
            "No hay ningún buscador {engine!r}; hay {known}. Elige uno en Herramientas.",
        ),
    }
)


class Secrets(Protocol):
    def get(self, provider: str) -> str | None: ...


class WebSearch(Arguments):
    query: str = Field(min_length=1, max_length=400, description="What to search for, as one would type it.")
    count: int = Field(default=5, ge=1, le=8, description="How many results.")


def make(
    *,
    egress: Egress | None = None,
    keys: Secrets | None = None,
    switches: Switches | None = None,
    addresses: Mapping[str, str] | None = None,
) -> Tool:
    """`addresses`: engine → where it is instead of its own place."""
    line = egress or Egress()

    def run(given: WebSearch, work: Work) -> Result:
        needs_web(switches)
        assert switches is not None
        query = " ".join(given.query.split())
        if not query:
            raise ToolError(say("empty", "en"), spanish=say("empty", "es"))
        engine = engine_of(switches)
        try:
            hits = engine.search(query, given.count, _asking(engine, work))
        except WebError as error:
            raise as_tool_error(error) from None
        return _result(engine, query, hits, work.language)

    def _asking(engine: Engine, work: Work) -> Asking:
        assert switches is not None
        address = (addresses or {}).get(engine.name, "")
        going = line
        if not engine.address:  # a person's own server, that they named: it may be on their own network
            address = address or str(switches.chosen(f"web.{engine.name}") or "")
            if address:
                place = target(address)
                going = line.allowing(f"{place.host}:{place.port}")
        key = keys.get(engine.key) if keys is not None and engine.key else None
        return Asking(going, key, address, work.language, work.stop)

    return Tool(
        name="web_search",
        title={"en": "Search the web", "es": "Buscar en la web"},
        description="Search the web: title, address and a line of each result. Use it for news and for facts that may "
        "have changed or that you do not know; read a result with web_page.",
        arguments=WebSearch,
        run=run,
        effect=Effect.REACHES,
        untrusted=True,
        needs_web=True,
    )


def engine_of(switches: Switches) -> Engine:
    name = str(switches.chosen("web.engine") or DEFAULT)
    if name not in ENGINES:
        raise unknown(name)
    return ENGINES[name]


def unknown(name: str) -> ToolError:
    values = {"engine": name, "known": ", ".join(ENGINES)}
    return ToolError(say("unknown", "en", **values), spanish=say("unknown", "es", **values))


def _result(engine: Engine, query: str, hits: list[Hit], language: str) -> Result:
    value = [{"title": hit.title, "url": hit.url, "snippet": hit.snippet} for hit in hits]
    if not hits:
        nothing = say("nothing", language, engine=engine.title, query=query)
        return Result(nothing, spoken=nothing, value=value)
    found = say("found", language, engine=engine.title, query=query)
    lines = [f"{number}. {hit.title}\n   {hit.url}\n   {hit.snippet}".rstrip() for number, hit in enumerate(hits, 1)]
    return Result("\n".join([found, *lines]), spoken="\n\n".join([found, *lines[:SPOKEN]]), value=value)
