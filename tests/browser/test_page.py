"""What the page keeps, whatever is on it: languages, colours, widths, keys, and its silence towards strangers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import App, Opener, Seen, drop

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 800}


def test_a_hostile_answer_asks_nobody_anything_and_runs_nothing(open_page: Opener, app: App, seen: Seen) -> None:
    page = open_page(f"?c={app.hostile}")
    page.wait_for_selector("article.answer .prose")
    page.click(".fold:has(.draft) summary")
    page.wait_for_timeout(800)
    assert {urlsplit(url).hostname for url in seen.requests if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    assert page.evaluate("window.hit") is None
    assert "<script>" in page.inner_text("article.answer .prose")  # shown as the text it is
    links = page.locator("article.answer .prose a")
    for link in links.all():
        address = link.get_attribute("href") or ""
        assert address.startswith(("https://pixel.invalid/f", "http://pixel.invalid/j"))
        assert {"noopener", "noreferrer"} <= set((link.get_attribute("rel") or "").split())
    assert page.locator("article.answer :is(img, iframe, script, video, style, link, svg:not(.icon))").count() == 0


def test_the_switch_makes_everything_spanish_and_stays(open_page: Opener) -> None:
    page = open_page()
    with page.expect_navigation():
        page.click(".sidebar-foot [data-do=language]")
    page.wait_for_selector(".nav-item:has-text('Chat nuevo')")
    assert page.evaluate("[navigator.language, document.documentElement.lang]") == ["es", "es"]
    page.reload()
    page.wait_for_selector(".afina[data-ready=yes]")
    assert page.get_attribute("#composer-text", "placeholder") == "Pregunta lo que quieras"
    page.click(".nav-item[data-view=documents]")
    page.wait_for_selector(".documents-page h1:has-text('Documentos')")


def test_a_spanish_browser_gets_spanish_at_once(open_page: Opener) -> None:
    page = open_page(locale="es-ES")
    assert "Chat nuevo" in page.inner_text(".sidebar")


def test_colours_follow_the_system_until_a_person_chooses(open_page: Opener) -> None:
    page = open_page(color_scheme="dark")
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    page.click("[data-do=theme]")
    assert page.evaluate(theme) == "light"
    page.reload()
    page.wait_for_selector(".afina[data-ready=yes]")
    assert page.evaluate(theme) == "light"


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page: Opener, app: App) -> None:
    page = open_page(f"?c={app.hostile}", viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    expect(page.locator(".sidebar")).not_to_be_in_viewport()
    page.click(".chat-bar [data-do=sidebar]")
    expect(page.locator(".sidebar")).to_be_in_viewport()
    page.click(".nav-item[data-view=documents]")
    page.wait_for_selector(".documents-page h1")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_viewer_fills_a_phones_screen(open_page: Opener, tmp_path: Path) -> None:
    note = tmp_path / "tides.md"
    note.write_text("# Tides\n\nHigh water at Marrow Point comes at noon.\n")
    page = open_page("?view=documents", viewport=PHONE)
    drop(page, note, place=".documents-page")
    page.click(".document:has-text('tides.md')[data-status=ready] .document-open")
    page.wait_for_selector(".viewer .leaf-text:has-text('Marrow Point')")
    page.wait_for_function("document.querySelector('.viewer').getBoundingClientRect().x === 0")  # it slides in
    box = page.locator(".viewer").bounding_box()
    assert box
    assert (box["x"], box["width"], box["height"]) == (0, PHONE["width"], PHONE["height"])


def test_keys_open_the_list_and_reach_the_composer_and_the_search(open_page: Opener) -> None:
    page = open_page()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator("#afina-help")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(page.locator("#composer-text")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.locator("[name=chat-search]")).to_be_focused()
    page.keyboard.press("Control+b")
    expect(page.locator(".sidebar")).to_be_hidden()


def test_every_button_has_a_name(open_page: Opener, app: App) -> None:
    page = open_page(f"?c={app.hostile}")
    nameless = "[...document.querySelectorAll('button')].filter((b) => !(b.ariaLabel || b.textContent.trim())).length"
    assert page.evaluate(nameless) == 0


def test_a_bad_file_says_so_and_a_locked_one_opens_with_its_password(
    open_page: Opener, make_pdf: Callable[..., Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.4 nothing here")
    page = open_page()
    drop(page, make_pdf(["The number of the vault is 4711."], "vault.pdf", password="abc"), bad)
    page.wait_for_selector(".chip.failed:has-text('bad.pdf') .state.bad")
    page.fill(".chip.locked input[type=password]", "abc")
    page.click(".chip.locked .password button")
    page.wait_for_selector(".chip.scope:has-text('vault.pdf')")
    assert "abc" not in page.content()


def test_a_document_is_found_by_its_words_and_removed_after_a_question(open_page: Opener, tmp_path: Path) -> None:
    note = tmp_path / "ferry.txt"
    note.write_text("The ferry to Skellan leaves the quay at seven in the morning, on weekdays only.\n")
    page = open_page("?view=documents")
    drop(page, note, place=".documents-page")
    page.wait_for_selector(".document:has-text('ferry.txt')[data-status=ready]")
    page.fill("[name=library-search]", "when does the ferry leave")
    page.click(".passage:has-text('Skellan')")
    page.wait_for_selector(".viewer mark:has-text('Skellan')")
    page.click("[data-do=viewer-close]")
    page.click(".document:has-text('ferry.txt') [data-do=remove]")
    page.click("dialog .danger")
    expect(page.locator(".document:has-text('ferry.txt')")).to_have_count(0)


def test_what_is_being_written_survives_a_reload(open_page: Opener) -> None:
    page = open_page()
    page.fill("#composer-text", "half a thought")
    page.reload()
    page.wait_for_selector(".afina[data-ready=yes]")
    assert page.input_value("#composer-text") == "half a thought"


def test_a_pasted_file_scopes_the_chat_until_it_is_taken_off(open_page: Opener) -> None:
    page = open_page()
    page.evaluate(
        """() => { const given = new DataTransfer();
        given.items.add(new File(["Blue whales sing at dusk."], "pasted.txt", { type: "text/plain" }));
        dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, bubbles: true, cancelable: true })); }"""
    )
    page.wait_for_selector(".chip.scope:has-text('pasted.txt')")
    page.click(".chip.scope [data-do=detach]")
    page.wait_for_selector(".chip.all")
