"""The web's tools, at the wire: engines answer as their documents say, and misbehave as they do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from assistant.errors import ForPerson
from assistant.models.keys import Keys
from assistant.service.parts import Parts
from assistant.service.settings import Settings
from assistant.service.verbs import prepare
from assistant.tools import Effect, Result, Toolbox, ToolError, Work, web_page, web_search
from assistant.tools.engines import ENGINES, plain
from assistant.tools.tool import READ
from assistant.tools.web_page import WebPage
from assistant.tools.web_search import WebSearch
from knowledge.store.database import connect
from knowledge.web.egress import Egress, Limits
from tests.websites import Website, answer

KEY = "tvly-0123456789abcdef"
DUCK = """<html><body><div id="links">
<div class="result results_links result--ad"><a class="result__a" href="//duckduckgo.com/y.js?ad=1">Buy</a></div>
<div class="result results_links web-result"><h2><a rel="nofollow" class="result__a"
 href="//duckduckgo.com/l/?uddg=https%3A%2F%2Fa.example%2Ffaro%3Fx%3D1&amp;rut=5">El <b>faro</b></a></h2>
<a class="result__snippet" href="x">Un <b>faro</b> &amp; su luz</a></div>
<div class="result web-result"><a class="result__a" href="https://b.example/">Second</a></div>
<div class="result web-result"><a class="result__a" href="javascript:alert(1)">Bad</a></div>
<div class="result"><a class="result__a" href="//duckduckgo.com/l/?uddg=http%3A%2F%2Fc.example%2F">Third</a></div>
</div></body></html>"""
WIKI = {
    "query": {
        "search": [
            {"title": "Faro de Ébano", "pageid": 1, "snippet": 'El <span class="x">faro</span> &quot;alto&quot;'}
        ]
    }
}
BRAVE = {
    "web": {"results": [{"title": "Faro", "url": "https://a.example/", "description": "Un <strong>faro</strong>"}]}
}
LIST = {
    "results": [
        {"title": "Faro", "url": "https://a.example/", "content": "Un faro"},
        {"title": "No", "url": "file:///x"},
    ]
}


class On(SimpleNamespace):
    """What a person turned on and chose."""

    web: bool = True

    def chosen(self, name: str) -> object:
        return getattr(self, name.replace(".", "_"), None)


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as site:
        yield site


def search(
    site: Website, engine: str, query: str = "faro", count: int = 5, language: str = "en", key: str = KEY
) -> Result:
    switches = On(web_engine=engine, web_searxng=site.url)
    addresses = {} if engine == "searxng" else {engine: site.url}
    allow = [] if engine == "searxng" else ["127.0.0.1"]
    keys = {ENGINES[engine].key: key} if key else {}
    egress = Egress(allow=allow, limits=Limits(seconds=5))
    tool = web_search.make(egress=egress, keys=keys, switches=switches, addresses=addresses)  # type: ignore[arg-type]
    return tool.run(WebSearch(query=query, count=count), Work(language=language))


def refusal(*given: object, **more: object) -> str:
    with pytest.raises(ToolError) as raised:
        search(*given, **more)  # type: ignore[arg-type]
    assert raised.value.said("es") != str(raised.value)
    assert KEY not in str(raised.value)
    return str(raised.value)


# ── each engine, as it answers ───────────────────────────────────────────────────────────────────────────────────


def test_duckduckgo_without_its_step_between_and_without_advertisements(site: Website) -> None:
    site.say["/html/"] = answer(DUCK)
    result = search(site, "duckduckgo", "faro de día", language="es")
    assert result.value == [
        {"title": "El faro", "url": "https://a.example/faro?x=1", "snippet": "Un faro & su luz"},
        {"title": "Second", "url": "https://b.example/", "snippet": ""},
        {"title": "Third", "url": "http://c.example/", "snippet": ""},
    ]
    assert result.text.splitlines()[:4] == [
        "DuckDuckGo encontró para «faro de día»:",
        "1. El faro",
        "   https://a.example/faro?x=1",
        "   Un faro & su luz",
    ]
    assert parse_qs(urlsplit(site.asked[0].path).query) == {"q": ["faro de día"], "kl": ["es-es"]}
    assert len(search(site, "duckduckgo", count=1).value) == 1


def test_wikipedia_in_the_persons_language(site: Website) -> None:
    site.say["/w/api.php"] = answer(json.dumps(WIKI), kind="application/json")
    assert search(site, "wikipedia", language="es").value == [
        {
            "title": "Faro de Ébano",
            "url": "https://es.wikipedia.org/wiki/Faro_de_%C3%89bano",
            "snippet": 'El faro "alto"',
        }
    ]
    assert parse_qs(urlsplit(site.asked[0].path).query)["srsearch"] == ["faro"]
    assert ENGINES["wikipedia"].address.format(language="es") == "https://es.wikipedia.org"


def test_brave_gets_its_key_in_its_header_and_tavily_in_its_own(site: Website) -> None:
    site.say["/res/v1/web/search"] = answer(json.dumps(BRAVE), kind="application/json")
    site.say["/search"] = answer(json.dumps(LIST), kind="application/json")
    assert search(site, "brave").value == [{"title": "Faro", "url": "https://a.example/", "snippet": "Un faro"}]
    assert search(site, "tavily", count=3).value == [
        {"title": "Faro", "url": "https://a.example/", "snippet": "Un faro"}
    ]
    brave, tavily = site.asked
    assert brave.headers["x-subscription-token"] == KEY
    assert "authorization" not in brave.headers
    assert (tavily.method, tavily.headers["authorization"]) == ("POST", f"Bearer {KEY}")
    assert json.loads(tavily.body) == {"query": "faro", "max_results": 3}
    assert KEY not in brave.path + tavily.path


def test_searxng_on_the_persons_own_machine_is_reached_because_they_named_it(site: Website) -> None:
    site.say["/search"] = answer(json.dumps(LIST), kind="application/json")
    assert search(site, "searxng", key="").value == [
        {"title": "Faro", "url": "https://a.example/", "snippet": "Un faro"}
    ]
    assert "format=json" in site.asked[0].path
    site.say["/search"] = answer("no", 403)
    assert "settings.yml" in refusal(site, "searxng", key="")


# ── each engine, misbehaving ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (202, "<html><body>please wait</body></html>"),
        (200, '<html><div class="anomaly-modal__mask"><div class="anomaly-modal">Select the ducks</div></div></html>'),
        (200, '<form id="challenge-form" action="//duckduckgo.com/anomaly.js"></form>'),
    ],
)
def test_a_puzzle_is_said_to_be_one(site: Website, status: int, body: str) -> None:
    site.say["/html/"] = answer(body, status)
    assert "puzzle" in refusal(site, "duckduckgo")


PATHS = {
    "duckduckgo": "/html/",
    "wikipedia": "/w/api.php",
    "brave": "/res/v1/web/search",
    "tavily": "/search",
    "searxng": "/search",
}


@pytest.mark.parametrize("engine", PATHS)
@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer("slow down", 429, Retry_After="9"), "no more searches"),
        (answer("<h1>Bad gateway</h1>", 502), "unexpected (status 502)"),
        (answer("<html><p>Welcome to the hotel's network"), "unexpected"),
        (answer(""), "unexpected"),
        (answer("[" * 100_000, kind="application/json"), "unexpected"),
        (answer("[1, 2]", kind="application/json"), "unexpected"),
        (answer('{"web": [], "query": [], "results": 3}', kind="application/json"), "unexpected"),
        (answer("\0", kind="video/mp4"), ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "broke off"),
        (b"garbage", "not the web's language"),
        (answer(status=302, Location="http://10.0.0.1/"), ""),
    ],
)  # fmt: skip
def test_an_engine_that_misbehaves_is_one_sentence(site: Website, engine: str, said: bytes, words: str) -> None:
    site.say[PATHS[engine]] = said
    sentence = refusal(site, engine)
    assert words in sentence
    assert "<" not in sentence
    assert all("10.0.0.1" not in asked.headers["host"] for asked in site.asked)


@pytest.mark.parametrize("engine", PATHS)
@pytest.mark.parametrize("language", ["en", "es"])
def test_no_hits_are_no_error(site: Website, engine: str, language: str) -> None:
    empty = '<div class="result--no-result"></div><div class="no-results">No results.</div>'
    site.say[PATHS[engine]] = answer(empty if engine == "duckduckgo" else "{}", kind="text/html")
    result = search(site, engine, language=language)
    assert result.value == []
    assert ("nothing" if language == "en" else "nada") in result.spoken
    assert "faro" in result.text


@pytest.mark.parametrize(
    ("engine", "status", "body"),
    [
        ("brave", 401, ""),
        ("brave", 422, '{"error": {"code": "SUBSCRIPTION_TOKEN_INVALID"}}'),
        ("tavily", 401, "{}"),
        ("tavily", 403, "{}"),
    ],
)
def test_a_key_that_is_missing_or_refused_is_said_and_not_shown(
    site: Website, engine: str, status: int, body: str
) -> None:
    site.say[PATHS[engine]] = answer(body, status)
    assert "refuses the key" in refusal(site, engine)
    site.asked.clear()
    assert "needs a key" in refusal(site, engine, key="")
    assert site.asked == []


def test_an_engine_that_is_not_known_or_has_no_address_names_the_way_out() -> None:
    for engine, words in (("altavista", "duckduckgo, wikipedia"), ("searxng", "address")):
        tool = web_search.make(egress=Egress(), switches=On(web_engine=engine))
        with pytest.raises(ToolError, match=words):
            tool.run(WebSearch(query="x"), Work())


@pytest.mark.parametrize(
    "arguments",
    [{"a": 1, "query": "x"}, {"query": ""}, {"query": "x", "count": 9}, {"query": "x" * 401}],
)  # fmt: skip
def test_arguments_are_checked(arguments: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WebSearch.model_validate(arguments)


def test_what_a_snippet_holds_is_one_plain_line() -> None:
    assert plain("a <b>x</b>\n&lt;y&gt; \x1b[31m\u202e z") == "a x <y> [31m z"
    assert plain(None) == plain(3) == ""
    assert len(plain("word " * 1000)) <= 400


# ── the switch ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_sent_until_a_person_turned_the_web_on(site: Website, home: Path) -> None:
    home.mkdir()
    site.say["/"] = answer("<p>A lighthouse of 1903.")
    site.say["/w/api.php"] = answer(json.dumps(WIKI), kind="application/json")
    engine = connect(f"sqlite:///{home / 'a.sqlite3'}")
    toolbox = Toolbox(engine, egress=Egress(allow=["127.0.0.1"]), keys=Keys(home))
    tools = {tool.name: tool for tool in toolbox.all()}
    page, searching = tools["web_page"], tools["web_search"]
    for tool in (page, searching):
        assert (tool.needs_web, tool.untrusted, tool.effect) == (True, True, Effect.REACHES)
    assert not {"web_page", "web_search"} & {tool.name for tool in toolbox.tools()}
    for tool, given in ((page, WebPage(url=site.url)), (searching, WebSearch(query="x"))):
        with pytest.raises(ToolError, match="switched off") as raised:
            tool.run(given, Work())
        assert "apagada" in raised.value.said("es")
    assert site.asked == []
    toolbox.web = True
    assert {"web_page", "web_search"} <= {tool.name for tool in toolbox.tools()}
    assert "1903" in page.run(WebPage(url=site.url), Work()).text
    toolbox.choose("web.engine", "searxng")
    toolbox.choose("web.searxng", site.url)
    site.say["/search"] = answer(json.dumps(LIST), kind="application/json")
    assert searching.run(WebSearch(query="x"), Work()).value[0]["title"] == "Faro"
    engine.dispose()


def test_a_tool_made_without_a_switch_sends_nothing() -> None:
    with pytest.raises(ToolError, match="switched off"):
        web_page.make().run(WebPage(url="https://example.org"), Work())


# ── web_page ─────────────────────────────────────────────────────────────────────────────────────────────────────


def read(site: Website, url: str = "", language: str = "en") -> Result:
    tool = web_page.make(egress=Egress(allow=["127.0.0.1"]), switches=On())
    return tool.run(WebPage(url=url or site.url), Work(language=language))


def test_a_page_is_title_address_and_text_cut_to_what_a_model_reads(site: Website) -> None:
    site.say["/"] = answer(
        "<html><title>Faro</title><body><article>" + "<p>Una frase más de la luz del faro.</p>" * 2_000
    )
    result = read(site, language="es")
    assert result.text.startswith(f"Faro\n{site.url}/\n\nUna frase más")
    assert len(result.text) <= READ
    assert result.text.endswith("[La página continúa; este es su comienzo.]")
    assert len(result.spoken) < 1_000
    assert result.spoken.endswith(f"{site.url}/")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://localhost:7860/", "private"), ("http://169.254.169.254/latest/meta-data", "private"),
        ("file:///etc/passwd", "file:"), ("127.1", "begins with"), ("user@example.org", "begins with"),
        ("http://2130706433/verbs", "private"), ("not a url", "begins with"),
    ],
)  # fmt: skip
def test_an_address_that_is_refused_says_why_in_two_languages(url: str, words: str) -> None:
    tool = web_page.make(egress=Egress(), switches=On())
    with pytest.raises(ToolError, match=words) as raised:
        tool.run(WebPage(url=url), Work())
    assert raised.value.said("es") != str(raised.value)


def test_an_address_without_its_scheme_is_taken_for_https() -> None:
    asked: list[tuple[str, int]] = []

    def resolve(name: str, port: int) -> list[str]:
        asked.append((name, port))
        return []

    tool = web_page.make(egress=Egress(resolve), switches=On())
    with pytest.raises(ToolError, match="no server called"):
        tool.run(WebPage(url="example.org/faro"), Work())
    assert asked == [("example.org", 443)]


@pytest.mark.parametrize(("status", "words"), [(404, "no such page"), (503, "overloaded"), (429, "overloaded")])
def test_a_page_that_is_not_there_is_a_sentence(site: Website, status: int, words: str) -> None:
    site.say["/"] = answer("<h1>Sorry", status)
    with pytest.raises(ToolError, match=words):
        read(site)


# ── the verbs ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_engine_is_chosen_by_name_and_says_what_it_still_needs(home: Path) -> None:
    home.mkdir()
    parts = Parts(Settings(home=home, _env_file=None))

    def verb(name: str, **arguments: str) -> dict[str, dict[str, object]]:
        return {row["engine"]: row for row in prepare(parts, name, arguments, threading.Event())()}

    assert [name for name, row in verb("web.engines").items() if row["chosen"]] == ["duckduckgo"]
    assert verb("web.use", engine="tavily")["tavily"]["needs"] == "key"
    parts.keys.set("tavily", KEY)
    assert verb("web.engines")["tavily"] | {"title": ""} == {
        "engine": "tavily",
        "title": "",
        "chosen": True,
        "needs": "",
        "address": "https://api.tavily.com",
    }
    assert verb("web.use", engine="searxng")["searxng"]["needs"] == "address"
    row = verb("web.use", engine="searxng", address="http://localhost:8888/")["searxng"]
    assert (row["chosen"], row["needs"], row["address"]) == (True, "", "http://localhost:8888")
    for wrong in ({"engine": "altavista"}, {"engine": "searxng", "address": "file:///etc"}):
        with pytest.raises(ForPerson) as raised:
            verb("web.use", **wrong)
        assert raised.value.said("es") != str(raised.value)
    parts.close()
