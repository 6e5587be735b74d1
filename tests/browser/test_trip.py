"""The whole trip: drop a PDF, ask, read the stream, open the citation, come back, come back in a second tab."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App, Opener, Seen, answered, ask, drop

pytestmark = pytest.mark.browser
QUESTION = "How many wind turbines does Brenmoor Energy operate?"


@pytest.fixture(scope="module")
def asked() -> dict[str, str]:
    """Where the first test left its conversation, for the others to come back to."""
    return {}


def test_a_dropped_pdf_is_read_asked_about_and_its_citation_marks_the_words(
    open_page: Opener, book: Path, asked: dict[str, str], seen: Seen
) -> None:
    page = open_page()
    drop(page, book)
    page.wait_for_selector(".files .chip progress, .chip.scope")
    ask(page, QUESTION)  # at once: the answer waits for the file
    page.wait_for_selector("article.question")
    page.wait_for_selector("article.answer[data-message]")  # being written, or on a quick machine already there
    page.wait_for_selector(".chip.scope:has-text('handbook.pdf')")
    answered(page)
    assert "212" in page.inner_text("article.answer .prose")
    assert page.inner_text(".route .because").startswith("— ")  # the route says why

    page.click("article.answer .cite >> nth=0")
    page.wait_for_selector(".viewer .box")
    assert "212" in page.inner_text(".viewer blockquote")
    assert "Page 7 of 30" in page.inner_text(".viewer-title")
    page.wait_for_function("document.querySelector('.viewer img').naturalWidth > 0")
    assert _covered(page, book, 7, "212 wind turbines")
    expect(page.locator(".viewer .box").first).to_be_in_viewport()
    asked["url"] = page.url
    assert re.search(r"\?c=\d+$", page.url)
    assert not seen.errors


def _covered(page: Page, book: Path, number: int, words: str) -> bool:
    """Whether the marked boxes lie over `words`, whose place the PDF itself tells."""
    document = pypdfium2.PdfDocument(book)
    leaf = document[number - 1]
    text = leaf.get_textpage()
    found = text.search(words).get_next()
    assert found
    left, bottom, right, top = text.get_charbox(found[0])
    _, _, right, _ = text.get_charbox(found[0] + found[1] - 1)
    width, height = leaf.get_size()
    x1, x2, y = left / width, right / width, 1 - (bottom + top) / 2 / height
    text.close()
    leaf.close()
    document.close()
    boxes = page.evaluate(
        """() => { const page = document.querySelector('.viewer img').getBoundingClientRect();
        return [...document.querySelectorAll('.viewer .box')].map((box) => { const r = box.getBoundingClientRect();
        return [(r.left - page.left) / page.width, (r.top - page.top) / page.height,
                (r.right - page.left) / page.width, (r.bottom - page.top) / page.height]; }); }"""
    )
    return any(b[0] <= x1 + 0.005 and b[2] >= x2 - 0.005 and b[1] <= y <= b[3] for b in boxes)


def test_a_reload_and_a_second_tab_find_the_chat(open_page: Opener, app: App, asked: dict[str, str]) -> None:
    page = open_page(asked["url"].removeprefix(app.url))
    assert "212" in page.inner_text("article.answer .prose")
    page.reload()
    page.wait_for_selector("article.answer .cite")
    second = open_page(context=page.context)
    second.click(".conversation:has-text('How many wind turbines') a")
    second.wait_for_selector("article.answer .cite")
    assert second.url == page.url


def test_two_tabs_follow_one_answer_and_a_reload_takes_it_up_again(
    open_page: Opener, app: App, asked: dict[str, str]
) -> None:
    path = asked["url"].removeprefix(app.url)
    first = open_page(path)
    second = open_page(path, context=first.context)
    first.locator("article.answer:last-of-type [data-do=retry]").last.click()
    first.wait_for_selector("article.answer:last-of-type .siblings:has-text('2/2'), article[data-status=writing]")
    second.reload()
    for page in (first, second):
        answered(page)
        page.wait_for_selector("article.answer:last-of-type .siblings:has-text('2/2')")
    second.locator("article.answer .siblings [data-do=choose]").first.click()
    second.wait_for_selector("article.answer .siblings:has-text('1/2')")
    first.wait_for_selector("article.answer .siblings:has-text('1/2')", timeout=5000)


def test_an_edited_question_stands_beside_the_old_one(open_page: Opener, app: App, asked: dict[str, str]) -> None:
    page = open_page(asked["url"].removeprefix(app.url))
    page.hover("article.question")
    page.click("article.question [data-do=edit]")
    page.fill(".editing textarea", "Who founded Brenmoor Energy?")
    page.click(".editing .primary")
    page.wait_for_selector("article.question .siblings:has-text('2/2')")
    answered(page)
    assert "Farrow" in page.inner_text("article.answer .prose")
    page.hover("article.question")
    page.locator("article.question [data-do=choose]").first.click()
    page.wait_for_selector(f"article.question:has-text('{QUESTION}')")


def test_a_like_and_its_reason_are_kept(open_page: Opener, app: App, asked: dict[str, str]) -> None:
    page = open_page(asked["url"].removeprefix(app.url))
    page.click("article.answer [data-do=like]")
    page.click(".feedback .reason[data-reason=sources]")
    page.wait_for_selector(".reason[data-reason=sources][aria-pressed=true]")
    page.fill(".feedback .note input", "the right page")
    page.click(".feedback .note button")
    page.wait_for_selector(".toast")
    page.reload()
    page.wait_for_selector("article.answer [data-do=like][aria-pressed=true]")
    assert page.get_attribute(".reason[data-reason=sources]", "aria-pressed") == "true"
    assert page.input_value(".feedback .note input") == "the right page"


def test_keys_open_the_citations_turn_the_page_and_close_the_viewer(
    open_page: Opener, app: App, asked: dict[str, str]
) -> None:
    page = open_page(asked["url"].removeprefix(app.url))
    page.wait_for_selector("article.answer .cite")
    page.focus("#composer-text")
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_selector(".viewer-title:has-text('Page 7 of 30')")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".viewer-title:has-text('Page 8 of 30')")
    page.keyboard.press("Escape")
    expect(page.locator(".viewer")).to_be_hidden()
    expect(page.locator("#composer-text")).to_be_focused()


def test_stopping_takes_less_than_a_second(open_page: Opener) -> None:
    page = open_page()
    ask(page, "Write a long story about a lighthouse, a storm and the sea, in many paragraphs.")
    page.wait_for_selector("article[data-status=writing]")
    written = "(document.querySelector('article.answer .prose')?.innerText.length ?? 0) > 20"
    page.wait_for_function(written, timeout=60_000)
    started = time.monotonic()
    page.keyboard.press("Escape")
    page.wait_for_selector("article[data-status=stopped]")
    assert time.monotonic() - started < 1.0
    assert page.inner_text("article.answer .prose").strip()
    assert page.locator("article.answer .ended [data-do=retry]").is_visible()


def test_a_deleted_chat_comes_back_when_undone(open_page: Opener, app: App) -> None:
    page = open_page(f"?c={app.hostile}")
    row = f".conversation:has([data-conversation='{app.hostile}'])"
    page.hover(row)
    page.click(f"{row} [data-do=delete]")
    page.wait_for_selector(".toast button")
    expect(page.locator(row)).to_have_count(0)
    page.click(".toast button")
    page.wait_for_selector(row)


def test_a_chat_is_renamed_in_place_and_found_by_searching(open_page: Opener, app: App) -> None:
    page = open_page(f"?c={app.hostile}")
    page.hover(".conversation.current")
    page.click(".conversation.current [data-do=rename]")
    page.keyboard.type("A stranger's <i>words</i>")
    page.keyboard.press("Enter")
    page.wait_for_selector('.conversation.current a:text-is("A stranger\'s <i>words</i>")')
    page.keyboard.press("Control+k")
    page.keyboard.type("stranger")
    page.wait_for_function("document.querySelectorAll('.conversation').length === 1")
