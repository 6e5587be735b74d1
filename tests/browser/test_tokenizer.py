"""The tokenizer page in a real browser: tokens as one types, a walk by keyboard, two languages, the chat template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opener, Seen
from tuning.counting.vocabularies import Tokenizers

pytestmark = pytest.mark.browser
EMOJI = "Olé 😀"


def opened(open_page: Opener, **options: object) -> Page:
    page = open_page("?view=tokenizer", **options)
    page.wait_for_selector(".tokenizer-page [data-region=chat] [role=option]")
    return page


def tokens(page: Page, region: str = "text") -> Locator:
    return page.locator(f".tokenizer-page [data-region={region}] [role=option]")


def test_what_is_typed_is_shown_as_tokens_with_their_ids(open_page: Opener, seen: Seen, weights: Path) -> None:
    page = opened(open_page)
    expect(page.locator(".tokenizer-empty")).to_be_visible()
    text = page.locator(".tokenizer-page [data-part=text]")
    text.press_sequentially(EMOJI)
    pieces = Tokenizers(weights).counter().pieces(EMOJI)
    expect(tokens(page)).to_have_count(len(pieces))
    assert [one.get_attribute("data-id") for one in tokens(page).all()] == [str(piece.id) for piece in pieces]
    tokens(page).nth(2).hover()
    detail = page.locator("[data-region=text] [data-part=detail]")
    expect(detail).to_contain_text(f"Token 3 · ␣😀 · id {pieces[2].id} · bytes 20 F0 9F 98, no whole character")
    page.click(".tokenizer-page summary")
    expect(page.locator(".tokenizer-table tbody tr")).to_have_count(len(pieces))
    text.fill("")
    expect(page.locator(".tokenizer-empty")).to_be_visible()
    assert not seen.errors


def test_ids_are_copied_and_shown_by_keyboard_alone(open_page: Opener, seen: Seen, weights: Path) -> None:
    page = opened(open_page, permissions=["clipboard-read", "clipboard-write"])
    page.keyboard.press("Escape")
    page.focus(".tokenizer-page [data-do=sample]")
    page.keyboard.press("Enter")
    sample = page.input_value(".tokenizer-page [data-part=text]")
    ids = [piece.id for piece in Tokenizers(weights).counter().pieces(sample)]
    expect(tokens(page)).to_have_count(len(ids))
    page.focus(".tokenizer-page [data-do=copy]")
    page.keyboard.press("Enter")
    expect(page.locator(".toast", has_text="Ids copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == str(ids)
    page.focus(".tokenizer-page [data-do=ids]")
    page.keyboard.press("Enter")
    expect(page.locator(".tokenizer-page.with-ids [data-do=ids][aria-pressed=true]")).to_be_visible()
    page.focus("[data-region=text] [role=listbox]")
    active = page.locator("[data-region=text] [role=option].active")
    for key, place in (("ArrowRight", 2), ("End", len(ids)), ("ArrowRight", len(ids)), ("Home", 1), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        expect(active).to_have_attribute("data-at", str(place))
    assert not seen.errors


def test_a_model_without_a_tokenizer_says_its_rule_everywhere(open_page: Opener, seen: Seen) -> None:
    page = opened(open_page)
    page.fill(".tokenizer-page [data-part=text]", "one two three")
    expect(tokens(page)).to_have_count(3)
    page.select_option(".tokenizer-page [data-part=model]", "openai:gpt-3.5-turbo")
    expect(page.locator(".tokenizer-rule")).to_contain_text("words ÷ 0.75")
    expect(page.locator("[data-region=compare]")).to_contain_text("22 tokens, 16 words")
    expect(page.locator("[data-region=chat]")).to_contain_text("is not known here")
    expect(tokens(page)).to_have_count(0)
    page.select_option(".tokenizer-page [data-part=model]", "local:smollm2-135m")
    expect(tokens(page)).to_have_count(3)
    expect(tokens(page, "chat").first).to_be_visible()
    assert not seen.errors


@pytest.mark.parametrize(
    "options",
    [{}, {"locale": "es-ES", "color_scheme": "dark", "viewport": {"width": 360, "height": 740}}],
    ids=["wide", "phone, dark, Spanish"],
)
def test_two_languages_and_a_template_at_any_width(open_page: Opener, seen: Seen, options: dict[str, object]) -> None:
    page = opened(open_page, **options)
    bars = page.locator(".tokenizer-bar i")
    widths = [float(re.sub(r"[^\d.]", "", str(bar.get_attribute("style")))) for bar in bars.all()]
    assert widths[0] < widths[1] == 100
    learned = page.locator("[data-region=chat] .learn[role=option]")
    expect(learned.last).to_have_text("<|im_end|>")
    page.fill(".tokenizer-page [data-part=answer]", "Hola")
    expect(learned).to_have_count(3)
    tokens(page, "chat").first.click()
    expect(page.locator("[data-region=chat] [data-part=detail]")).not_to_be_empty()
    wide = page.evaluate(
        "[document.querySelector('.tokenizer-page').scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide[0] <= wide[1]
    assert not seen.errors
    assert all(address.startswith(("http://127.0.0.1", "data:", "blob:")) for address in seen.requests)


def test_it_is_reached_by_its_keys_and_by_its_line(open_page: Opener) -> None:
    page = open_page()
    page.locator("#composer-text").blur()
    page.keyboard.press("g")
    page.keyboard.press("k")
    expect(page.locator(".tokenizer-page h1")).to_be_visible()
    page.click("nav [data-do=new]")
    expect(page.locator(".tokenizer-page h1")).to_be_hidden()
    page.click("nav .nav-item:has-text('Tokenizer')")
    expect(page.locator(".tokenizer-page h1")).to_be_visible()
    assert "view=tokenizer" in page.url
