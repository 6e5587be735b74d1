"""The datasets page in a real browser: from likes, a correction and a ranking in the chat to files that their provider
takes; files in and out again; by keyboard alone; two tabs; on a phone, in Spanish, in the dark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from assistant.history import History
from knowledge.store.database import connect
from tests.browser.conftest import drop, serving
from tests.tuning.chats import chat, exchange, reply, say
from tuning.checking import Problem, Summary, check
from tuning.formats import FORMATS
from tuning.values import Kind

pytestmark = pytest.mark.browser
CUT = """() => [...document.querySelectorAll('.datasets-page :is(button, input, select, textarea, p, b, li, small)')]
    .filter((e) => e.checkVisibility() && !e.closest('.tabs, .grid'))
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 90))"""
TABS = ("gather", "examples", "statistics", "clean", "versions")


@dataclass
class Site:
    url: str


def seed(home: Path) -> None:
    """Ten liked answers, one that was corrected, one question with three answers, a liked one with an address in it."""
    home.mkdir(parents=True)
    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    history = History(engine)
    for n in range(10):
        answer = f"{n + 3} kilometres, as everybody knows."
        history.rate(exchange(history, chat(history), f"How far is place {n}?", answer), True)
    history.correct(exchange(history, chat(history), "Capital of Australia?", "It is Sydney."), "Canberra, of course.")
    ranked = chat(history)
    asked = say(history, ranked, "My house is too hot")
    for text in ("Open a window.", "Move out.", "Close the blinds at noon."):
        reply(history, ranked, asked, text)
    engine.dispose()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[Site]:
    """The app over a data folder of its own."""
    home = tmp_path_factory.mktemp("datasets") / "home"
    seed(home)
    with serving(home, AFINA_WEIGHTS=str(weights)) as url:
        yield Site(url)


Opened = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, site: Site) -> Iterator[Opened]:
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(query: str = "?view=datasets", *, beside: Page | None = None, **options: object) -> Page:
        if beside is None:
            options.setdefault("locale", "en-US")
            options.setdefault("viewport", {"width": 1280, "height": 860})
            context = chromium.new_context(**options)  # type: ignore[arg-type]
            context.set_default_timeout(30_000)
            context.on("weberror", lambda error: errors.append(str(error.error)))
            contexts.append(context)
        else:
            context = beside.context
        page = context.new_page()
        page.goto(site.url + query)
        page.wait_for_selector(".afina[data-ready=yes]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


def named(page: Page, name: str) -> str:
    """A new dataset; its number."""
    page.click("[data-do=naming]:not([data-dataset])")
    page.fill("dialog [data-field=name]", name)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:text-is('{name}')")
    return str(page.evaluate("new URLSearchParams(location.search).get('dataset')"))


def saved(page: Page, folder: Path, split: str = "train") -> Path:
    with page.expect_download() as download:
        page.click(f".file[data-split='{split}'] [data-do=download]")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def sound(file: Path, kind: str) -> int:
    *problems, summary = check(file, kind)
    assert isinstance(summary, Summary)
    assert not [one for one in problems if isinstance(one, Problem) and one.severity == "error"]
    return summary.rows


def step(page: Page, name: str) -> None:
    expect(page.locator(".step")).to_have_attribute("data-step", name)


def tab(page: Page, name: str) -> None:
    page.click(f".tabs a[href*='tab={name}']")
    expect(page.locator(f".tabs a[href*='tab={name}']")).to_have_attribute("aria-current", "page")


def test_from_likes_a_correction_and_a_ranking_to_files_that_their_provider_takes(
    opened: Opened, tmp_path: Path
) -> None:
    page = opened("")
    page.click(".nav-item[data-view=datasets]")
    page.click("[data-do=begin-liked]:has-text('10 liked answers')")
    page.click(".step [data-do=approve-all]:has-text('Approve 10')")
    page.click(".step [data-do=freeze]")
    train = saved(page, tmp_path)
    assert sound(train, "openai") == 10
    page.wait_for_selector(".file :text('Where the example comes from')")  # what is lost is named

    tab(page, "gather")
    page.check("[name=kind][value=preference]")
    page.click(".way-in .fold summary >> nth=0")
    page.check("[data-field=edited]")
    page.click("button[data-do=gather]:has-text('Gather 1 preference')")
    page.wait_for_selector(".toast:has-text('1 example came in')")
    page.uncheck("[data-field=edited]")
    page.check("[name=kind][value=ranking]")
    page.click("button[data-do=gather]:has-text('Gather 2 rankings')")
    tab(page, "examples")
    page.click(".sifts :text('2 to rank')")
    expect(page.locator(".entry")).to_have_count(2)
    for first, order in (("My house is too hot", "312"), ("Capital of Australia?", "21")):
        page.click(f".entry a:has-text('{first}')")
        expect(page.locator(".desk-answer")).to_have_count(len(order))
        for key in order:
            page.keyboard.press(key)
        expect(page.locator(".desk-answer .desk-key").first).to_be_visible()
        page.keyboard.press("a")
        page.click(".nav-item[data-view=datasets]")
        page.click(".cards .name")
        tab(page, "examples")
        page.click(".sifts :text('All')")
        if first.startswith("My"):
            page.click(".sifts :text('1 to rank')")
    page.click(".step [data-do=approve-all]")
    page.click(".step [data-do=freeze]")
    page.wait_for_selector(".version .opened")
    page.click(".fold summary:has-text('Another format')")
    page.check("[name=format][value=openai-preference]")
    page.wait_for_selector("[data-key='files-openai-preference']")
    pairs = saved(page, tmp_path)
    rows = [json.loads(line) for line in pairs.read_text("utf-8").splitlines()]
    houses = [row for row in rows if row["input"]["messages"][-1]["content"] == "My house is too hot"]
    assert len(houses) == 3  # 3·2/2
    assert {row["preferred_output"][0]["content"] for row in houses} == {"Close the blinds at noon.", "Open a window."}
    examples = [FORMATS["openai-preference"].read(row) for row in rows]
    assert {one.kind for one in examples} == {Kind.PREFERENCE}
    assert any(one.answers[0].text == "Canberra, of course." for one in examples)

    page.click(".fold summary:has-text('Compare')")
    page.select_option("[data-part=against]", "1")
    page.wait_for_selector(".changes .is-added:has-text('My house')")
    page.reload()
    page.wait_for_selector(".changes .is-added:has-text('My house')")  # the address keeps it
    page.go_back()
    expect(page.locator(".changes")).to_have_count(0)


def test_a_file_comes_in_with_its_faults_named_is_searched_decided_on_and_taken_out(
    opened: Opened, tmp_path: Path
) -> None:
    page = opened()
    number = named(page, "from-file")
    rows = [json.dumps({"question": f"Number {n}?", "answer": f"It is {n}, no doubt."}) for n in range(120)]
    rows[7] = "{broken"
    rows[30] = json.dumps({"question": "Who?", "answer": "Write to ana.lopez@example.com today."})
    file = tmp_path / "pairs <b>.jsonl"
    file.write_text("\n".join(rows), "utf-8")
    drop(page, file, place=".datasets-page")
    step(page, "approve")
    expect(page.locator(".step")).to_contain_text("118 examples are ready")
    expect(page.locator(".step")).to_contain_text("1 more is held back")
    expect(page.locator("td:text-is('8')")).to_have_count(1)  # the line
    beside = opened(f"?view=datasets&dataset={number}&tab=clean", beside=page)

    tab(page, "examples")
    expect(page.locator(".entry")).to_have_count(50)
    page.click(".pager a >> nth=-1")
    expect(page.locator(".pager")).to_contain_text("Page 2 of 3")
    page.fill(".filters [data-field=search]", "lopez")
    expect(page.locator(".entry")).to_have_count(1)
    assert "search=lopez" in page.url
    assert "page=" not in page.url
    page.reload()
    expect(page.locator(".entry")).to_have_count(1)

    beside.click(".finding-kind:has-text('E-mail') .button:has-text('See them')")
    expect(beside.locator("mark")).to_have_text("ana.lopez@example.com")
    beside.click("[data-do=mend]:has-text('Replace it')")
    expect(beside.locator("mark")).to_have_count(0)
    page.fill(".filters [data-field=search]", "write")
    expect(page.locator(".entry")).not_to_contain_text("lopez")  # the other tab sees it too
    expect(page.locator(".entry")).to_have_count(1)
    beside.click(".toast [data-undoes] .button, .toast[data-undoes] .button")
    expect(page.locator(".entry")).to_contain_text("lopez")

    page.fill(".filters [data-field=search]", "")
    expect(page.locator(".bulk")).to_contain_text("All 119 that pass")
    page.check(".entry >> nth=0 >> input")
    page.check(".entry >> nth=2 >> input")
    expect(page.locator(".bulk")).to_contain_text("2 chosen")
    page.click(".bulk [data-do=drop]")
    expect(page.locator(".sifts")).to_contain_text("Dropped 2")
    page.click(".bulk [data-do=undo]")
    expect(page.locator(".sifts")).to_contain_text("Dropped 0")
    page.click(".bulk [data-do=tagging]")
    page.fill("[data-part=tagging] input", "pairs")
    page.keyboard.press("Enter")
    page.wait_for_selector(".entry .tag:has-text('#pairs')")
    page.select_option(".filters [data-field=tag]", "pairs")
    expect(page.locator(".bulk")).to_contain_text("All 119 that pass")

    tab(page, "statistics")
    expect(page.locator(".plot:has-text('Tags') td >> nth=-1")).to_have_text("119")
    tab(page, "gather")
    page.click("[data-do=undo-import]")
    expect(page.locator(".step")).to_have_attribute("data-step", "gather")


def test_by_keyboard_alone(opened: Opened) -> None:
    page = opened("")
    for key in ("Escape", "g", "s"):
        page.keyboard.press(key)
        if key == "Escape":
            page.evaluate("document.activeElement.blur()")
    page.wait_for_selector(".datasets-page h1")
    page.focus("[data-do=naming]:not([data-dataset])")
    page.keyboard.press("Enter")
    page.keyboard.type("by keys")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('by-keys')")
    page.focus("summary:has-text('A sample')")
    page.keyboard.press("Enter")
    page.focus("[data-do=sample] >> nth=0")
    page.keyboard.press("Enter")
    step(page, "approve")
    page.focus(".tabs a >> nth=1")
    page.keyboard.press("Enter")
    page.focus(".entry a >> nth=0")
    first = page.evaluate("document.activeElement.dataset.example")
    for key in ("a", "ArrowDown", "d", "j", "x", "k"):
        page.keyboard.press(key)
        page.wait_for_timeout(50)
    expect(page.locator(f".entry[data-example='{first}']")).to_have_class("card entry is-approved")
    expect(page.locator(".entry >> nth=1")).to_have_class("card entry is-dropped")
    expect(page.locator(".bulk")).to_contain_text("1 chosen")
    assert page.evaluate("document.activeElement.closest('.entry') !== null")
    page.keyboard.press("Enter")
    page.wait_for_selector(".desk-page:not([hidden])")
    page.go_back()
    page.wait_for_selector(".datasets-page:not([hidden]) .entry")
    page.focus(".entry a >> nth=0")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_selector(".documents-page:not([hidden])")
    page.go_back()
    expect(page.locator(f".entry[data-example='{first}']")).to_have_class("card entry is-approved")


def test_a_dataset_goes_and_comes_back_and_its_name_is_taken_only_once(opened: Opened) -> None:
    page = opened()
    named(page, "comes-and-goes")
    page.click(".back")
    page.click("[data-do=naming]:not([data-dataset])")
    page.fill("dialog [data-field=name]", "comes-and-goes")
    page.fill("dialog [data-field=note]", "kept while wrong")
    page.click("dialog .primary")
    expect(page.locator("dialog [data-problem=name]")).to_contain_text("already")
    assert page.input_value("dialog [data-field=note]") == "kept while wrong"
    page.keyboard.press("Escape")
    row = page.locator(".card:has(strong:text-is('comes-and-goes'))")
    row.locator("[data-do=remove]").click()
    expect(row).to_have_count(0)
    page.click(".toast[data-undoes] .button")
    expect(row).to_have_count(1)


def test_what_was_liked_meanwhile_is_counted(opened: Opened) -> None:
    page = opened()
    number = named(page, "meanwhile")
    page.wait_for_selector("button[data-do=gather]:has-text('Gather 10 examples')")
    page.click("[data-do=open]:has-text('Capital of Australia?')")
    page.click("article.answer [data-do=like]")
    page.wait_for_selector("article.answer [data-do=like][aria-pressed=true]")
    page.click(".nav-item[data-view=datasets]")
    page.click(f".cards .name[href*='dataset={number}']")
    page.wait_for_selector("button[data-do=gather]:has-text('Gather 11 examples')")
    page.click("[data-do=open]:has-text('Capital of Australia?')")
    page.click("article.answer [data-do=like]")
    page.wait_for_selector("article.answer [data-do=like][aria-pressed=false]")


def test_a_file_that_falls_on_the_list_becomes_a_dataset(opened: Opened, tmp_path: Path) -> None:
    page = opened()
    page.wait_for_selector(".datasets-page h1")
    file = tmp_path / "my notes.txt"
    file.write_text("Q: Is it far?\nA: No.\n\nQ: Is it near?\nA: Yes, quite.\n", "utf-8")
    drop(page, file, place=".datasets-page")
    page.wait_for_selector("h1:text-is('my-notes')")
    expect(page.locator(".entry")).to_have_count(2)
    nothing = tmp_path / "nothing.txt"
    nothing.write_text("", "utf-8")
    page.click(".back")
    drop(page, nothing, place=".datasets-page")
    page.wait_for_selector(".toast.bad:has-text('There is nothing in this file')")
    expect(page.locator(".cards strong:text-is('nothing')")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_narrow_phone_in_spanish_nothing_is_cut_off(opened: Opened, theme: str) -> None:
    page = opened(locale="es-ES", color_scheme=theme, viewport={"width": 390, "height": 844})
    number = named(page, f"movil-{theme}")
    page.click("summary:has-text('Una muestra')")
    page.click("[data-do=sample] >> nth=1")
    step(page, "approve")
    page.click(".step [data-do=approve-all]")
    page.click(".step [data-do=freeze]")
    page.wait_for_selector(".file[data-split=train]")
    tabs = [f"&dataset={number}&tab={name}" for name in TABS]
    for place in (*tabs, f"&dataset={number}&tab=versions&version=1&format=zip", ""):
        page.goto(f"{page.url.split('?')[0]}?view=datasets{place}")
        page.wait_for_selector(f".datasets-page .tabs [href*='{place}']" if place in tabs else ".datasets-page .cards")
        page.wait_for_selector("[data-region=liked] button" if not place else ".datasets-page h1")
        for closed in page.locator(".datasets-page details:not([open]) > summary").all():
            if closed.is_visible():
                closed.click()
        page.wait_for_timeout(300)
        assert page.evaluate(CUT) == []
        assert page.evaluate("document.querySelector('.datasets-page').scrollWidth") == 390
