"""The personas page in a real browser: made, tried on, carried as a file, removed and taken back; on a phone too."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Seen, drop

pytestmark = pytest.mark.browser
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def opened(open_page: Opener, **options: object) -> Page:
    page = open_page("?view=personas", **options)
    page.wait_for_selector(".persona-card")
    return page


def card(page: Page, name: str) -> str:
    return f".persona-card:has(strong:text-is('{name}'))"


def test_a_persona_is_made_carried_as_a_file_removed_and_taken_back(
    open_page: Opener, seen: Seen, tmp_path: Path
) -> None:
    page = opened(open_page)
    page.click("[data-do=open][data-persona='0']")
    page.fill("#persona-name", "<b>")
    page.fill("#persona-voice", "Doña Nube speaks softly.")
    page.set_input_files("[data-part=picture]", {"name": "a.png", "mimeType": "image/png", "buffer": PNG})
    page.wait_for_selector(".persona-form .persona-face img")
    page.click("[data-do=more]")
    page.fill(".persona-example [data-part=user]", "Rain?")
    page.click(".form-foot .primary")
    expect(page.locator(".personas-page [data-problem=name]")).to_contain_text("letter or a digit")
    expect(page.locator(".persona-example [data-part=problem]")).to_contain_text("is empty")
    assert page.input_value("#persona-voice") == "Doña Nube speaks softly."  # what was written is still there
    page.fill("#persona-name", "Doña Nube")
    page.fill(".persona-example [data-part=assistant]", "Soon.")
    page.click(".form-foot .primary")
    page.wait_for_selector(card(page, "Doña Nube"))

    with page.expect_download() as download:
        page.click(f"{card(page, 'Doña Nube')} [data-do=export]")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "dona-nube.persona.json"
    written = json.loads(file.read_text("utf-8"))
    assert written["picture"].startswith("data:image/")
    assert written["examples"] == [{"user": "Rain?", "assistant": "Soon."}]

    drop(page, file, place=".personas-page")
    page.wait_for_selector(card(page, "Doña Nube 2"))
    stranger = tmp_path / "stranger.json"
    stranger.write_text('{"name": "Stranger", "colour": "blue"}', "utf-8")
    page.set_input_files("[data-part=file]", stranger)
    page.wait_for_selector(".toast:has-text('colour')")
    assert not page.locator(card(page, "Stranger")).count()

    page.click(f"{card(page, 'Doña Nube 2')} [data-do=remove]")
    page.wait_for_selector(card(page, "Doña Nube 2"), state="detached")
    page.click(".toast .button")
    page.wait_for_selector(card(page, "Doña Nube 2"))

    page.click(f"{card(page, 'Doña Nube')} [data-do=chat]")
    page.wait_for_selector(".afina:not([hidden]) :text('Doña Nube')")
    assert not seen.errors


def test_what_was_not_saved_is_asked_about_and_escape_leads_back(open_page: Opener) -> None:
    page = opened(open_page)
    page.focus(f"{card(page, 'Marv')} [data-do=open]")
    page.keyboard.press("Enter")
    expect(page.locator("#persona-name")).to_be_focused()
    page.keyboard.press("Escape")
    page.wait_for_selector(".persona-form", state="detached")
    expect(page.locator(f"{card(page, 'Marv')} [data-do=open]")).to_be_focused()
    page.keyboard.press("Enter")
    page.fill("#persona-voice", "Something else.")
    page.keyboard.press("Escape")
    page.click(".dialog .button:has-text('Stay')")
    assert page.input_value("#persona-voice") == "Something else."
    page.click("[data-do=cancel]")
    page.click(".dialog .button.danger")
    page.wait_for_selector(".persona-form", state="detached")
    expect(page.locator(f"{card(page, 'Marv')} .persona-voice")).to_contain_text("sarcastic")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_narrow_phone_in_spanish_nothing_is_cut_off(open_page: Opener, scheme: str) -> None:
    page = opened(open_page, locale="es-ES", viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.wait_for_selector("h1:has-text('Personajes')")
    for place in ("list", "form"):
        if place == "form":
            page.click(f"{card(page, 'Marv')} [data-do=open]")
            page.wait_for_selector(".persona-form")
            page.evaluate("document.querySelectorAll('.persona-form details').forEach((d) => { d.open = true; })")
        cut = page.evaluate(
            """() => [...document.querySelectorAll('.personas-page :is(button, input, select, textarea, h1, p)')]
                .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
                .map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert cut == []
