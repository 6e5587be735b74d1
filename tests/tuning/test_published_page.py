"""The room of published models, as its script calls it: what is seen, gone back to, written out and brought in."""

from __future__ import annotations

import base64
import io
import time
import zipfile
from collections.abc import Callable, Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from assistant.chat_page.wording import words_in
from assistant.service.settings import Settings
from tests.assistant import tiny
from tuning.pages.training.page import TrainingPage, training_page
from tuning.parts import Parts

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
WORDS = Path(__file__).parents[2] / "tuning" / "words"
HERE = {"room": "published"}
Ask = Callable[..., dict[str, Any]]


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.adapter(base, tmp_path_factory.mktemp("adapter") / "theirs")


@pytest.fixture
def parts(tmp_path: Path, weights: Path) -> Iterator[Parts]:
    home = tmp_path / "home"
    home.mkdir()
    parts = Parts(Settings(home=home, weights=weights, _env_file=None))  # type: ignore[call-arg]
    yield parts
    parts.close()


@pytest.fixture
def page(parts: Parts) -> Iterator[TrainingPage]:
    page = training_page(parts)
    yield page
    page.close()


@pytest.fixture
def ask(page: TrainingPage) -> Ask:
    def ask(do: str, language: str = "en", **more: Any) -> dict[str, Any]:
        return page.answer({"do": do, "at": HERE, **more}, words_in(language, WORDS))

    return ask


def _settled(ask: Ask, language: str = "en") -> str:
    """What is seen once nothing runs."""
    until = time.monotonic() + 60
    while (answer := ask("show", language))["busy"]:
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)
    return str(answer["regions"]["body"])


@pytest.mark.parametrize(
    "payload",
    [
        {"do": "go-to", "persona": 1},
        {"do": "export", "persona": 1, "version": 1, "way": "pickle"},
        {"do": "piece", "file": ""},
        {"do": "import", "persona": "x", "weights": "/elsewhere"},
        {"do": "show", "at": {"room": "attic"}},
    ],
)
def test_what_is_not_known_is_refused(page: TrainingPage, payload: Any) -> None:
    assert set(page.answer(payload, words_in("en", WORDS))) == {"error"}


@pytest.mark.parametrize("language", ["en", "es"])
def test_with_nothing_published_it_leads_to_the_jobs_and_takes_a_model_in(ask: Ask, language: str) -> None:
    shown, say = _settled(ask, language), words_in(language, WORDS)
    assert escape(say("published_none")) in shown
    assert 'data-do="import"' in shown
    head = ask("show", language)["regions"]["head"]
    assert head.count('aria-current="page"') == 1


def test_a_model_is_brought_in_exported_and_fetched_whole(ask: Ask, parts: Parts, adapter: Path) -> None:
    assert "error" not in ask("import", persona="Theirs", folder=str(adapter))
    shown = _settled(ask)
    assert "Theirs speaks with it from now on" in shown
    stored = parts.personas.named("Theirs")
    assert stored is not None
    assert 'value="gguf:q8_0"' in shown
    ask("export", persona=stored.id, version=1, way="adapter")
    shown = _settled(ask)
    name = f"{stored.id}-theirs-v1-adapter"
    assert str(parts.home / "exports" / name) in shown
    assert 'value="adapter"' not in shown  # it is there
    assert "there already" in ask("export", persona=stored.id, version=1, way="adapter")["error"]
    fetch, data, offset = ask("pack", export=name)["fetch"], b"", 0
    while offset is not None:
        answer = ask("piece", file=fetch["file"], offset=offset)
        data, offset = data + base64.b64decode(answer["data"]), answer["next"]
    assert len(data) == fetch["size"]
    packed = zipfile.ZipFile(io.BytesIO(data))
    assert packed.read(f"{name}/adapter_model.safetensors") == (adapter / "adapter_model.safetensors").read_bytes()
    ask("remove-export", export=name)
    assert name not in _settled(ask)
    assert "gone" in ask("pack", export=name)["error"]
    assert "gone" in ask("piece", file="../../afina.sqlite3")["error"]


def test_going_back_says_how_it_is_undone(ask: Ask, parts: Parts, adapter: Path) -> None:
    ask("import", persona="Marv", folder=str(adapter))
    shown = _settled(ask)
    assert shown.index("Version 2") < shown.index("Version 1")
    marv = parts.personas.named("Marv")
    assert marv is not None
    before = ask("show")["stamp"]
    answer = ask("go-to", "es", persona=marv.id, version=1)
    assert "versión 1" in answer["undo"]["said"]
    assert parts.personas.get(marv.id).persona.adapter == ""
    assert ask("show", stamp=before) != {}
    ask(answer["undo"]["do"].pop("do"), **answer["undo"]["do"])
    assert parts.personas.get(marv.id).persona == marv.persona
    assert "choose among 1, 2" in ask("go-to", persona=marv.id, version=7)["error"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_wrong_is_one_sentence_beside_the_form(ask: Ask, parts: Parts, tmp_path: Path, language: str) -> None:
    evil = tmp_path / '"><img src=x onerror=alert(1)>'
    evil.mkdir()
    ask("import", language, persona="Stranger", folder=str(evil))
    shown = _settled(ask, language)
    assert 'class="job bad"' in shown
    assert "adapter_config.json" in shown
    assert not Tags(shown).seen & {"img", "onerror", "script"} - ({"img"} if "data:image" in shown else set())
    assert "error" in ask("import", language, persona="Stranger", path="/etc/passwd", name="a.zip")
    assert parts.personas.named("Stranger") is None
