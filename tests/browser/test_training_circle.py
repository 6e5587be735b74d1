"""The whole circle in a real browser, on the default model: liked chats become a dataset, the dataset a model, the
model a persona in the same chat; a second one takes its place, and the first one comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from assistant.history import History
from assistant.personas import Personas
from knowledge.store.database import connect
from tests.browser.conftest import ask, newest, serving
from tests.tuning.chats import chat, exchange
from tuning.samples import SAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow]
LIKED = 23
PATIENCE = 240_000  # milliseconds for a few steps, on a busy machine


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chats in which somebody answered as Marv does; all but the last one liked."""
    home = tmp_path_factory.mktemp("circle") / "home"
    home.mkdir()
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    history = History(engine)
    for line in SAMPLES["marv"].read_text("utf-8").splitlines()[: LIKED + 1]:
        *_, question, answer = (one["content"] for one in json.loads(line)["messages"])
        last = exchange(history, chat(history, question[:40]), question, answer)
        history.rate(last, True)
    history.rate(last, None)
    engine.dispose()
    return home


@pytest.fixture(scope="module")
def url(home: Path, weights: Path) -> Iterator[str]:
    with serving(home, AFINA_WEIGHTS=str(weights)) as url:
        yield url


@pytest.fixture(scope="module")
def page(chromium: Browser, url: str) -> Iterator[Page]:
    errors: list[str] = []
    context = chromium.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".afina[data-ready=yes]")
    yield page
    context.close()
    assert not errors


def test_from_a_like_to_a_persona_and_back(page: Page, url: str, home: Path) -> None:
    liked(page)
    dataset(page)
    first = job(page, "first", steps=6)
    measured(page, first)
    evaluated(page)
    number = published(page, "Marvin")
    spoken(page)
    assert tuned_by(home) == str(first)

    page.goto(f"{url}?view=training")
    page.wait_for_selector(".afina[data-ready=yes]")
    second = job(page, "second", steps=2)
    assert published(page, "Marvin") == number
    spoken(page)
    assert tuned_by(home) == str(second)

    page.goto(f"{url}?view=training")
    page.wait_for_selector(".afina[data-ready=yes]")
    page.click(".rooms a:has-text('Published models')")
    page.click(f".speaker[data-key=p{number}] .version [data-do=go-to]")  # back to the first
    page.wait_for_selector(".toast:has-text('Marvin speaks with version 1 now')")
    spoken(page)
    assert tuned_by(home) == str(first)


def liked(page: Page) -> None:
    page.click(".conversations a >> nth=0")
    answer = page.locator("article.answer").last
    answer.hover()
    answer.locator("[data-do=like]").click()
    expect(answer.locator("[data-do=like]")).to_have_attribute("aria-pressed", "true")


def dataset(page: Page) -> None:
    page.click(".nav-item[data-view=datasets]")
    page.click(f"[data-do=begin-liked]:has-text('{LIKED + 1} liked answers')")
    page.click(f".step [data-do=approve-all]:has-text('Approve {LIKED + 1}')")
    page.click(".step [data-do=freeze]")
    page.wait_for_selector(".version .opened")
    page.click(".version a:has-text('Train on it')")
    page.wait_for_selector(".training-page form [data-field=data]")
    assert page.locator(".training-page [data-field=data]").input_value() == "1:1"


def job(page: Page, name: str, *, steps: int) -> int:
    """From the form to its end; its number. What it takes shows by itself."""
    page.click(".nav-item[data-view=training]")
    if page.locator(".training-page .page-head a.primary").count():
        page.click(".training-page .page-head a.primary")
    page.fill(".training-page [data-field=name]", name)
    page.fill(".training-page [data-field=minutes]", "10")
    page.click(".training-page summary:has-text('Further settings')")
    page.fill(".training-page [data-field=max_steps]", str(steps))
    page.fill(".training-page [data-field=batch]", "4")
    page.fill(".training-page [data-field=every]", "3")
    page.fill(".training-page [data-field=samples]", "What is the capital of Peru?")
    start = page.locator(".training-page form [data-part=estimate] ~ .row .fresh button")
    expect(start).to_contain_text("Start: about", timeout=PATIENCE)
    expect(page.locator(".estimate .figures")).to_contain_text("money: it runs here")
    start.click()
    page.wait_for_selector(f".training-page h1:text-is('{name}')")
    expect(page.locator(".training-page .page-head .tag")).to_have_text("done", timeout=PATIENCE)
    found = re.search(r"job=(\d+)", page.url)
    assert found
    return int(found[1])


def measured(page: Page, number: int) -> None:
    assert page.locator("[data-key=plots] svg.plot").count() == 4
    assert page.locator("[data-key=plots] polyline").count() >= 4
    answers = page.locator("[data-key=answers] .sides > div")
    expect(answers).to_have_count(2)  # before and after
    expect(page.locator("[data-key=repeat] code").first).to_contain_text("afina tune start --data")
    page.reload()  # what it measured is its folder's, not the browser's
    page.wait_for_selector("[data-key=plots] polyline")
    assert f"job={number}" in page.url


def evaluated(page: Page) -> None:
    page.fill("[data-part=evaluate] [data-field=most]", "2")
    page.fill("[data-part=evaluate] [data-field=tokens]", "12")
    page.uncheck("[data-part=evaluate] [data-field=general]")
    page.uncheck("[data-part=evaluate] [data-field=trained]")
    page.click("[data-part=evaluate] button")
    rows = page.locator("[data-key=evaluation] table.metrics tbody tr")
    expect(rows.first).to_be_visible(timeout=PATIENCE)
    assert rows.count() >= 3
    sides = page.locator("[data-key=evaluation] ol.pairs li .sides").first
    expect(sides.locator("small")).to_have_text(["reference", "before", "after"])


def published(page: Page, name: str) -> int:
    """The persona's number. What was measured on so few rows may speak against it: then it is asked."""
    page.fill("[data-key=publish] [data-field=persona]", name)
    page.click("[data-key=publish] form button")
    chat_with = page.locator("[data-key=publish] [data-do=chat]")
    page.wait_for_selector("[data-key=publish] [data-do=chat], dialog[open]")
    if page.locator("dialog[open]").count():
        page.click("dialog[open] .danger")
    expect(chat_with).to_be_visible()
    return int(chat_with.get_attribute("data-persona") or 0)


def spoken(page: Page) -> None:
    """A new chat with it."""
    page.click(".training-page [data-do=chat]")
    page.wait_for_function("document.activeElement.id === 'composer-text'")  # the new chat is set up
    ask(page, "What is the capital of Peru?")
    expect(page.locator("article.question")).to_have_count(1, timeout=PATIENCE)
    answer = newest(page)
    assert answer.locator(".prose").inner_text().strip()
    expect(answer).to_contain_text("Marvin")


def tuned_by(home: Path) -> str:
    """The job whose model the persona has."""
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    found = Personas(engine).named("Marvin")
    engine.dispose()
    assert found is not None
    assert found.persona.lineage is not None
    assert Path(found.persona.adapter).name.startswith(f"{int(found.persona.lineage.job):04d}-")
    return str(found.persona.lineage.job)


CUT = """() => [...document.querySelectorAll('.training-page :is(button, a, input, select, p, b, li, small, h1, dd)')]
    .filter((e) => e.checkVisibility() && !e.closest('.wide, .log'))
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("place", ["job=1", "job=1&against=2", "new=1", "", "room=published", "job=999"])
def test_on_a_phone_in_spanish_in_the_dark_nothing_is_cut_off(
    page: Page, chromium: Browser, url: str, place: str
) -> None:
    """Of what the circle left behind; another browser sees it too."""
    context = chromium.new_context(locale="es-ES", viewport={"width": 390, "height": 800}, color_scheme="dark")
    phone = context.new_page()
    phone.goto(f"{url}?view=training&{place}")
    phone.wait_for_selector(".afina[data-ready=yes]")
    phone.wait_for_selector(".training-page [data-region=body] *")
    assert phone.evaluate(CUT) == []
    if place == "job=999":
        expect(phone.locator(".blank h2")).to_have_text("Este entrenamiento ya no existe")
    if place == "job=1":
        expect(phone.locator("table.metrics tbody tr").first).to_be_visible()
    context.close()


def test_by_keyboard_alone_from_a_run_to_its_evaluation(page: Page, url: str) -> None:
    page.goto(f"{url}?view=training&job=1")
    page.wait_for_selector("[data-do=jump][data-to=evaluation]")
    page.focus("[data-do=jump][data-to=evaluation]")
    page.keyboard.press("Enter")
    expect(page.locator("[data-key=evaluation]")).to_be_in_viewport()
    assert page.evaluate("document.activeElement.closest('[data-key=evaluation]') !== null")
