"""Laws of the tools page: a switch does what it shows, what goes wrong is a sentence, no secret leaves it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.chat_page.wording import words_in as words
from assistant.models.keys import Keys
from assistant.pages.tools_page import ToolsPage
from assistant.tools import Toolbox
from knowledge.store.database import connect

SERVERS = Path(__file__).parent.parent / "mcp_servers"
PASSWORD = "swordfish-4711"


@pytest.fixture
def toolbox(tmp_path: Path) -> Iterator[Toolbox]:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    made = Toolbox(engine)
    yield made
    made.close()
    engine.dispose()


@pytest.fixture
def page(toolbox: Toolbox, tmp_path: Path) -> ToolsPage:
    return ToolsPage(toolbox, Keys(tmp_path, {}))


def ask(page: ToolsPage, language: str = "en", **payload: Any) -> dict[str, Any]:
    return page.answer(payload, words(language))


def config(script: str, *args: str) -> str:
    entry = {"command": sys.executable, "args": [str(SERVERS / script), *args], "env": {"TOKEN": PASSWORD}}
    return json.dumps({"mcpServers": {script.removesuffix(".py"): entry}})


def test_a_switch_does_what_it_shows(page: ToolsPage, toolbox: Toolbox) -> None:
    first = ask(page, do="show")
    assert ask(page, do="show", stamp=first["stamp"]) == {}
    after = ask(page, do="switch", name="calculator", on=False)
    assert after["stamp"] != first["stamp"]
    assert not toolbox.is_on("calculator")
    assert after["regions"]["own"].count('aria-checked="false"') == 1
    assert 'aria-checked="false"' in first["regions"]["web"]
    assert 'aria-checked="true"' in ask(page, do="web", on=True)["regions"]["web"]
    assert toolbox.web


def test_an_engine_asks_for_the_key_it_needs_and_never_shows_it(page: ToolsPage) -> None:
    assert 'type="password"' in ask(page, do="engine", name="brave")["regions"]["web"]
    after = ask(page, do="need", name="brave", value=PASSWORD)
    assert 'type="password"' not in after["regions"]["web"]
    assert PASSWORD not in json.dumps(after)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_server_is_added_tested_removed_and_brought_back(page: ToolsPage, toolbox: Toolbox, language: str) -> None:
    added = ask(page, language, do="add", config=config("good.py"))
    assert "good" in added["said"]
    assert added["added"]
    assert "calculator" in added["regions"]["servers"]
    assert PASSWORD not in json.dumps(added)
    assert "good__add" in {tool.name for tool in toolbox.tools()}
    assert "good__add" not in added["regions"]["own"]
    assert 'aria-checked="false"' in ask(page, language, do="enable", name="good", on=False)["regions"]["servers"]
    assert ask(page, language, do="remove", name="good")["removed"] == "good"
    assert "good" in ask(page, language, do="restore", name="good")["regions"]["servers"]


def test_one_that_fails_is_kept_with_its_reason(page: ToolsPage) -> None:
    answer = ask(page, do="add", config=config("bad.py", "dies"))
    assert "LICENCE_KEY is not set" in answer["error"]
    assert "LICENCE_KEY is not set" in answer["regions"]["servers"]
    spanish = ask(page, "es", do="show")
    assert "El servidor se paró" in spanish["regions"]["servers"]


@pytest.mark.parametrize(
    "payload",
    [
        {"do": "add", "config": "{"}, {"do": "add", "config": "x" * 300_000}, {"do": "test", "name": "nobody"},
        {"do": "switch", "name": "nobody", "on": True}, {"do": "engine", "name": "nobody"}, {"do": "fly"},
        {"do": "need", "name": "searxng", "value": "file:///etc/passwd"}, {"do": "switch", "name": "clock"},
        {"do": "need", "name": "nobody", "value": "x"}, {"do": "restore", "name": "nobody"}, None, [],
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "es"])
def test_whatever_is_asked_is_answered_by_a_sentence(page: ToolsPage, payload: Any, language: str) -> None:
    answer = page.answer(payload, words(language))
    assert answer["error"]
    assert "\n" not in answer["error"]
    assert "Traceback" not in answer["error"]


def test_what_a_stranger_wrote_is_no_html(page: ToolsPage) -> None:
    entry = {"command": "<script>alert(1)</script>", "args": ['"><img src=x>']}
    drawn = ask(page, do="add", config=json.dumps({"<b>bold</b>": entry}))
    assert "<script>" not in drawn["regions"]["servers"]
    assert "<img" not in drawn["regions"]["servers"]


def test_every_tool_says_what_it_does_in_both_languages(page: ToolsPage) -> None:
    english, spanish = (ask(page, language, do="show")["regions"] for language in ("en", "es"))
    assert english["own"].count("<strong>") == spanish["own"].count("<strong>") == 9
    assert "tools_" not in english["own"] + spanish["own"] + page.shell(words("en")) + page.shell(words("es"))
