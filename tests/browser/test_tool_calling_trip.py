"""The same conversation with a model that calls tools itself, served on loopback; what reaches out asks first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import App, Opener, Seen, ask, drop, newest, serving, told
from tests.completions import Call, Completions

pytestmark = pytest.mark.browser
WEB = [Call("web_page", '{"url": "http://127.0.0.1:9/private?name=Ana"}')]


@pytest.fixture(scope="module")
def model() -> Iterator[Completions]:
    server = Completions()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, weights: Path, model: Completions) -> Iterator[App]:
    """An app of its own, whose model is the server and whose web is on."""
    home, name = tmp_path_factory.mktemp("calling") / "home", f"{model.url}/v1#some-model"
    _prepare(home, name)
    with serving(home, AFINA_WEIGHTS=str(weights), AFINA_MODEL=name) as url:
        yield App(url)


def _prepare(home: Path, name: str) -> None:
    from assistant.models.catalogue.added import AddedModels
    from assistant.tools import Toolbox
    from knowledge.store.database import connect

    home.mkdir(parents=True)
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    AddedModels(engine).add(name, "Loopback", {"tools": True})
    Toolbox(engine).web = True
    engine.dispose()


def test_the_trip_by_a_model_that_calls_tools(open_page: Opener, book: Path, model: Completions, seen: Seen) -> None:
    page = open_page()
    model.script = [["Hello ", "there."]]
    answer = told(page, "Hello, how are you?")
    assert "Hello there." in answer.locator(".prose").first.inner_text()

    drop(page, book)
    page.wait_for_selector(".chip.scope:has-text('handbook.pdf')")
    search = Call("search_documents", '{"query": "wind turbines Brenmoor Energy operates"}')
    model.script = [[search], ["Brenmoor Energy operates 212 wind turbines [1]."]]
    answer = told(page, "How many wind turbines does Brenmoor Energy operate?")
    expect(answer.locator(".cite").first).to_be_visible()
    expect(answer.locator(".steps > summary")).to_contain_text("1 step")

    model.script = [[Call("calculator", '{"expression": "17*23"}')], ["It is ", "391."]]
    answer = told(page, "What is 17 times 23?")
    assert "391" in answer.locator(".prose").first.inner_text()

    asking = Call("ask_persona", '{"name": "Marv", "question": "What is the capital of France?"}')
    model.script = [[asking], ["Paris, ", "obviously."], ["Marv says Paris."]]
    answer = told(page, "Ask Marv what the capital of France is")
    assert "Marv says Paris." in answer.locator(".prose").first.inner_text()

    model.script = [["Paris, ", "as everyone knows."]]
    answer = told(page, "@Marv what is the capital of France?")
    assert "Marv" in answer.locator(".who").inner_text()

    model.script = [["In plain words."]]
    answer.locator(".route summary").click()
    answer.locator(".menu [data-route=chat]").click()
    expect(page.locator("article.message").last.locator(".siblings")).to_contain_text("2/2")
    newest(page)

    page.reload()
    page.wait_for_selector(".afina[data-ready=yes]")
    expect(page.locator("article.answer .steps > summary")).to_have_count(3)  # the steps are kept
    page.locator("article.answer .steps > summary").nth(1).click()
    expect(page.locator(".step:visible").first).to_contain_text("Calculator")
    assert not seen.errors


def test_what_reaches_out_asks_and_a_no_is_a_no(open_page: Opener, app: App, model: Completions, seen: Seen) -> None:
    page = open_page()
    model.script = [WEB, ["I may not."]]
    ask(page, "Read my private page")
    card = page.locator(".approval")
    expect(card).to_be_focused()  # the keyboard is where the question is
    expect(card).to_contain_text("http://127.0.0.1:9/private?name=Ana")
    page.reload()  # the question is kept
    page.wait_for_selector(".afina[data-ready=yes]")
    expect(card.locator("button")).to_have_text(["Once", "Always in this chat", "Deny"])
    context = page.context
    second = open_page(page.url.removeprefix(app.url), context=context)
    second.locator(".approval [data-decision=deny]").press("Enter")
    expect(card).to_have_count(0)  # the first tab follows
    answer = newest(page)
    answer.locator(".steps > summary").click()
    expect(answer.locator(".step")).to_have_attribute("data-state", "denied")
    assert not seen.errors


def test_always_holds_for_the_chat_until_it_is_taken_back(open_page: Opener, model: Completions) -> None:
    page = open_page()
    model.script = [WEB, ["It did not answer."]]
    ask(page, "Read the page")
    page.locator(".step summary").click()
    page.locator(".approval [data-decision=always]").click()
    answer = newest(page)
    expect(answer.locator(".step .arguments")).to_be_visible()  # what was opened stays open through every drawing
    expect(answer.locator(".step")).to_have_attribute("data-state", "failed")  # a private address is refused even so
    model.script = [WEB, ["Again no answer."]]
    told(page, "And again")  # nobody is asked
    page.click("[data-do=settings]")
    page.click("[data-do=withdraw]")
    expect(page.locator("[data-do=withdraw]")).to_have_count(0)
    page.keyboard.press("Escape")
    model.script = [WEB, ["Once more no answer."]]
    ask(page, "And once more")
    page.locator(".approval [data-decision=once]").click()
    newest(page)
