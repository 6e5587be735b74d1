"""The models page in a real browser: models added and tested, keys that nobody sees, bars that move by keyboard."""

from __future__ import annotations

import pytest
from openai import AuthenticationError, OpenAI
from playwright.sync_api import expect

from tests.browser.conftest import App, Opener, Seen
from tests.completions import Completions

pytestmark = pytest.mark.browser
SECRET = "sk-test-0123456789abcdef"


def test_a_server_is_looked_at_its_model_added_tested_removed_and_taken_back(open_page: Opener, seen: Seen) -> None:
    server = Completions()
    server.models = [{"id": "<b>model-7b", "object": "model", "max_model_len": 4096}]
    page = open_page("?view=models")
    page.wait_for_selector(".models-page .card")
    page.fill("[data-part=address]", "127.0.0.1:9")
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=add-problem]")).to_contain_text("cannot be reached", timeout=20_000)
    page.fill("[data-part=address]", server.url)
    page.keyboard.press("Enter")
    page.click("[data-region=found] [data-do=add]")
    card = page.locator("[data-region=list] .card", has_text="<b>model-7b")
    expect(card).to_contain_text("4,096 tokens")
    expect(card).to_contain_text("Size 10B")
    card.locator("[data-do=test]").click()
    expect(card.locator(".models-trial")).to_contain_text("It answers: Paris is the capital.", timeout=20_000)
    expect(card.locator(".models-trial")).to_contain_text("It is ready to use.", timeout=20_000)
    card.locator("[data-do=remove]").click()
    expect(card).to_have_count(0, timeout=20_000)
    page.click(".toast button")
    expect(card).to_have_count(1, timeout=20_000)
    card.locator("[data-do=remove]").click()
    expect(card).to_have_count(0, timeout=20_000)
    server.shutdown()
    server.server_close()
    assert not seen.errors


def test_a_key_is_kept_and_seen_by_nobody(open_page: Opener, seen: Seen) -> None:
    page = open_page("?view=models")
    page.fill("[data-part=secret]", SECRET)
    page.keyboard.press("Enter")
    key = page.locator("[data-region=keys] .card", has_text="OpenAI")
    expect(key).to_contain_text("sk-…cdef", timeout=20_000)
    assert SECRET not in page.content()
    expect(page.locator("[data-part=secret]")).to_have_value("")
    expect(page.locator(".models-page [data-region=list]")).to_contain_text("GPT-5 mini", timeout=20_000)
    key.locator("[data-do=forget]").click()
    page.click("dialog button:has-text('Forget')")
    expect(key).to_have_count(0, timeout=20_000)
    assert not seen.errors


def test_another_program_is_let_in_by_a_key_made_here(open_page: Opener, app: App, seen: Seen) -> None:
    page = open_page("?view=models")
    page.click(".models-page [data-do=let-in]")
    key = page.locator("[data-part=made]").input_value(timeout=20_000)
    client = OpenAI(base_url=page.locator("[data-part=base]").inner_text(), api_key=key, max_retries=0)
    assert "marv" in [model.id for model in client.models.list()]
    page.reload()
    page.wait_for_selector(".models-page [data-do=shut-out]")
    assert key not in page.content()
    page.click(".models-page [data-do=shut-out]")
    page.click("dialog button:has-text('Close')")
    expect(page.locator(".models-page [data-region=programs]")).to_contain_text("Closed", timeout=20_000)
    with pytest.raises(AuthenticationError):
        client.models.list()
    assert not seen.errors


@pytest.mark.parametrize(
    "options", [{}, {"locale": "es-ES", "color_scheme": "dark", "viewport": {"width": 360, "height": 740}}]
)
def test_the_settings_move_the_real_probabilities_by_keyboard(
    open_page: Opener, seen: Seen, options: dict[str, object]
) -> None:
    page = open_page("?view=models", **options)
    page.focus(".models-panel summary")
    page.keyboard.press("Enter")
    page.fill("[data-part=text]", "The capital of France is")
    first = page.locator(".models-bars li").first
    expect(first).to_contain_text("␣Paris", timeout=30_000)
    expect(page.locator(".models-bars li.cut")).to_have_count(0, timeout=20_000)
    page.focus("#models-top_k")
    page.keyboard.press("Home")
    expect(page.locator(".models-bars li.cut")).to_have_count(11, timeout=20_000)
    expect(first).to_contain_text("100")
    page.keyboard.press("End")
    expect(page.locator(".models-bars li.cut")).to_have_count(0, timeout=20_000)
    page.focus("#models-temperature")
    page.keyboard.press("Home")
    expect(page.locator(".models-bars li.cut")).to_have_count(11, timeout=20_000)
    wide = page.evaluate("[document.querySelector('.models-page').scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1]
    assert not seen.errors
