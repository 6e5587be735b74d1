"""The laws of the models page: whatever is sent is answered, nothing of others' is markup, no key comes back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.models import DEFAULT, Models
from assistant.models.catalogue.added import AddedModels
from assistant.models.keys import Keys
from assistant.models.local.probabilities import Candidate, NextTokens
from assistant.openai_api import ApiKey
from assistant.pages import models_view as view
from assistant.pages.models_page import ModelsPage
from knowledge.pages.wording import HERE, Words, words
from knowledge.store.database import connect
from tests.completions import Completions

WORDS = Path(view.__file__).parents[1] / "words"
SECRET = "sk-test-0123456789abcdef"


@pytest.fixture(params=["en", "es"])
def say(request: pytest.FixtureRequest) -> Words:
    return words(request.param, HERE, WORDS)


@pytest.fixture
def page(tmp_path: Path) -> ModelsPage:
    keys = Keys(tmp_path / "home")
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    models = Models(tmp_path, keys=keys, added=AddedModels(engine), places={"ollama": "http://127.0.0.1:9"})
    return ModelsPage(models, keys, ApiKey(engine))


@pytest.fixture
def server() -> Iterator[Completions]:
    server = Completions()
    yield server
    server.shutdown()
    server.server_close()


def test_what_is_shown_is_sent_once(page: ModelsPage, say: Words) -> None:
    shown = page.answer({"do": "show", "stamp": ""}, say)
    assert DEFAULT in shown["regions"]["list"]
    assert page.answer({"do": "show", "stamp": shown["stamp"]}, say) == {}
    assert view.shell(say).count("<section") == 3


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"do": "erase"}, {"do": "use"}, {"do": "use", "name": 1, "more": 2}, {"do": "next", "text": "x"},
     {"do": "next", "text": "x", "settings": {"temperature": 9}}, {"do": "key", "provider": "openai"}],
)  # fmt: skip
def test_what_no_page_sends_is_refused_in_a_sentence(page: ModelsPage, say: Words, payload: Any) -> None:
    assert set(page.answer(payload, say)) == {"error"}


@pytest.mark.parametrize("text", ["gpt 5", "http://", "http://127.0.0.1:9", "hf:", "http://host/v1#"])
def test_what_cannot_be_added_is_said_beside_its_field(page: ModelsPage, say: Words, text: str) -> None:
    answer = page.answer({"do": "look", "address": text}, say)
    assert answer["problem"]
    assert "error" not in answer


def test_names_of_others_are_no_markup(page: ModelsPage, server: Completions, say: Words) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    server.models = [{"id": evil, "max_model_len": 4096}]
    found = page.answer({"do": "look", "address": server.url}, say)["regions"]["found"]
    assert "<img" not in found
    name = f"{server.url}/v1#{evil.replace(' ', '_')}"
    shown = page.answer({"do": "add", "name": name}, say)["regions"]["list"]
    assert "<img" not in shown
    one = Candidate(1, "<img>", 0.5, 0.5, 1.0, True, "")
    assert "<img" not in view.bars(NextTokens((one,), 9, 1, 0.5, 0.0), say)


def test_a_test_is_shown_step_by_step_and_its_end(page: ModelsPage, server: Completions, say: Words) -> None:
    name = f"{server.url}/v1#some-model"
    page.answer({"do": "add", "name": name}, say)
    assert page.answer({"do": "test", "name": name}, say)["testing"] is not None
    deadline = time.monotonic() + 20
    while (shown := page.answer({"do": "show", "stamp": ""}, say))["testing"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "Paris is the capital." in shown["regions"]["list"]
    assert not shown["testing"]
    removed = page.answer({"do": "remove", "name": name}, say)
    assert name not in removed["regions"]["list"]
    assert name in page.answer({"do": "restore", "name": name}, say)["regions"]["list"]


def test_a_hosted_model_without_a_known_price_says_so(page: ModelsPage, say: Words) -> None:
    def told(name: str) -> bool:
        page.answer({"do": "add", "name": name}, say)
        listed = page.answer({"do": "show", "stamp": ""}, say)["regions"]["list"]
        card = next(part for part in listed.split("<li ") if f'data-key="{name}"' in part)
        return say("models_no_price") in card

    assert [told(name) for name in ("openai:gpt-9", "openai:gpt-5", "http://127.0.0.1:9/v1#m")] == [True, False, False]


def test_what_was_found_is_told_in_the_language_of_who_looks(page: ModelsPage, server: Completions) -> None:
    server.status = 500
    both = {language: words(language, HERE, WORDS) for language in ("en", "es")}
    for name in (f"{server.url}/v1#some-model", "hf:/nowhere/at/all"):
        page.answer({"do": "add", "name": name}, both["en"])
        page.answer({"do": "test", "name": name}, both["en"])
    deadline = time.monotonic() + 20
    while page.answer({"do": "show", "stamp": ""}, both["es"])["testing"] and time.monotonic() < deadline:
        time.sleep(0.02)
    for _ in range(2):  # the steps of a test, then what is kept of it
        english, spanish = (
            page.answer({"do": "show", "stamp": ""}, both[language])["regions"]["list"] for language in ("en", "es")
        )
        assert "Reinténtalo" in spanish
        assert "Try again" not in spanish
        assert "Try again" in english
        assert english.count("There is no folder") == 1
        assert spanish.count("No existe la carpeta") == 1
        page._trials.clear()


def test_a_key_comes_in_and_never_goes_out(page: ModelsPage, say: Words) -> None:
    answer = page.answer({"do": "key", "provider": "openai", "secret": SECRET}, say)
    assert SECRET not in str(answer)
    assert "sk-…cdef" in answer["regions"]["keys"]
    assert "openai:gpt-5-mini" in answer["regions"]["list"]
    assert page.answer({"do": "key", "provider": "openai", "secret": "two words"}, say)["problem"]
    assert "cdef" not in page.answer({"do": "forget", "provider": "openai"}, say)["regions"]["keys"]


def test_the_key_of_other_programs_is_shown_once_and_opens_until_it_is_taken_away(page: ModelsPage, say: Words) -> None:
    def opening() -> str:
        answer = page.answer({"do": "let-in"}, say)
        return str(re.findall(r"afina-[\w-]{40,}", answer["regions"]["made"])[0])

    assert say("programs_off") in page.answer({"do": "show", "stamp": ""}, say)["regions"]["programs"]
    first, second = opening(), opening()
    assert [page._own.opens(key) for key in (first, second)] == [False, True], "one key at a time"
    shown = page.answer({"do": "show", "stamp": ""}, say)
    assert second not in str(shown)
    assert f"…{second[-4:]}" in shown["regions"]["programs"]
    closed = page.answer({"do": "shut-out"}, say)
    assert not page._own.opens(second)
    assert closed["regions"]["made"] == ""


def test_the_apps_model_is_chosen_here(page: ModelsPage, say: Words) -> None:
    name = "http://127.0.0.1:9/v1#m"
    page.answer({"do": "add", "name": name}, say)
    page.answer({"do": "use", "name": name}, say)
    assert page._models.default == name


def test_probabilities_that_cannot_be_had_are_a_sentence_in_their_place(page: ModelsPage, say: Words) -> None:
    answer = page.answer({"do": "next", "text": " ", "settings": {"temperature": 1}}, say)
    assert "state fair" in answer["regions"]["bars"]
