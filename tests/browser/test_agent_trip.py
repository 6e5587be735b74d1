"""One conversation by every way there is: plain → documents → calculator → Marv → a corrected route; default models."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Opener, Seen, drop, newest, told
from tests.pdfs import handbook

pytestmark = pytest.mark.browser


def _route(answer: Locator) -> str:
    return answer.locator(".route summary b").inner_text()


def test_one_conversation_goes_every_way_and_a_route_is_corrected(
    open_page: Opener, tmp_path: Path, seen: Seen
) -> None:
    page = open_page()
    answer = told(page, "Hello, how are you?")
    assert _route(answer) == "Chat"
    assert answer.locator(".who").inner_text() == "Afina"

    drop(page, handbook(tmp_path / "handbook.pdf", pages=12))  # not the other tests' bytes
    page.wait_for_selector(".chip.scope:has-text('handbook.pdf')")
    answer = told(page, "How many wind turbines does Brenmoor Energy operate?")
    assert _route(answer) == "Documents"
    assert "212" in answer.locator(".prose").first.inner_text()
    expect(answer.locator(".cite").first).to_be_visible()

    answer = told(page, "What is 17 * 23?")
    assert _route(answer) == "Calculator"
    assert "391" in answer.locator(".prose").first.inner_text()
    answer.locator(".steps > summary").click()
    answer.locator(".step summary").click()
    assert "17" in answer.locator(".step .arguments").inner_text()
    assert "391" in answer.locator(".step .result").inner_text()

    page.fill("#composer-text", "")
    page.locator("#composer-text").press_sequentially("@ma")
    expect(page.locator(".mentions [role=option]")).to_have_text(["Marv"])
    page.keyboard.press("Tab")
    assert page.input_value("#composer-text") == "@Marv "
    answer = told(page, "@Marv What is the capital of France?")
    assert "Marv" in answer.locator(".who").inner_text()
    assert "Paris" in answer.locator(".prose").first.inner_text()

    answer = told(page, "Tell me about safety helmets in one line")
    was = _route(answer)
    other = "documents" if was != "Documents" else "chat"
    answer.locator(".route summary").press("Enter")  # by keys: open, down to the line, Enter
    answer.locator(f".menu [data-route={other}]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("article.message").last.locator(".siblings")).to_contain_text("2/2")
    answer = newest(page)
    assert _route(answer) != was
    note = answer.locator(".noted")
    expect(note).to_contain_text("Noted for next time")

    page.reload()
    page.wait_for_selector(".afina[data-ready=yes]")
    assert page.locator("article.answer").count() == 5
    steps = page.locator("article.answer:has(.step)")
    expect(steps.locator(".steps > summary")).to_contain_text("1 step")
    expect(steps.locator(".step")).to_be_hidden()  # one line, until it is opened
    newest(page).locator(".noted button").click()
    expect(page.locator(".noted")).to_have_count(0)
    assert not seen.errors


def test_the_same_in_spanish_with_marv_for_the_whole_chat(open_page: Opener, tmp_path: Path, seen: Seen) -> None:
    page = open_page(locale="es-ES")
    page.click(".speaker summary")
    page.click(".speaker .menu button:has-text('Marv')")
    expect(page.locator(".empty h2")).to_have_text("Marv")
    expect(page.locator(".greeting")).to_contain_text("Soy Marv")
    page.reload()  # what was chosen for a chat without a message survives it
    page.wait_for_selector(".afina[data-ready=yes]")
    expect(page.locator(".speaker summary")).to_contain_text("Marv")

    drop(page, handbook(tmp_path / "manual.pdf", language="es"))
    page.wait_for_selector(".chip.scope:has-text('manual.pdf')")
    answer = told(page, "¿Cuánto es 12 por 12?")
    assert _route(answer) == "Calculadora"
    assert "144" in answer.locator(".prose").first.inner_text()
    expect(answer.locator(".steps > summary")).to_contain_text("1 paso")

    answer = told(page, "¿Cuál es la capital de Francia?")
    assert "Marv" in answer.locator(".who").inner_text()
    answer.locator(".route summary").click()
    answer.locator(".menu [data-route=documents]").click()
    expect(page.locator("article.message").last.locator(".siblings")).to_contain_text("2/2")
    assert _route(newest(page)) == "Documentos"
    expect(page.locator(".noted")).to_contain_text("Anotado")
    page.click(".noted button")
    expect(page.locator(".noted")).to_have_count(0)
    assert not seen.errors


def test_settings_for_one_message_and_for_the_chat(open_page: Opener) -> None:
    page = open_page()
    page.click("[data-do=settings]")
    page.fill(".settings [name=max_tokens]", "12")
    page.check(".settings [name=manner][value=greedy]", force=True)
    expect(page.locator(".settings [name=top_k]")).to_be_disabled()
    page.click(".settings [value=next]")
    expect(page.locator(".next")).to_contain_text("maximum tokens 12")
    answer = told(page, "Write a long story about a lighthouse")
    expect(page.locator(".next .chip")).to_have_count(0)
    answer.locator(".fold summary:has-text('How it was made')").click()
    expect(answer.locator(".fold .arguments")).to_contain_text("maximum tokens 12 · temperature 0")

    page.click("[data-do=settings]")
    expect(page.locator(".settings [name=max_tokens]")).to_have_value("")  # it was for one message
    page.fill(".settings [name=seed]", "7")
    page.click(".settings [value=chat]")
    page.click("[data-do=settings]")
    expect(page.locator(".settings [name=seed]")).to_have_value("7")
    page.click("[data-do=settings-reset]")
    expect(page.locator(".settings [name=seed]")).to_have_value("")
