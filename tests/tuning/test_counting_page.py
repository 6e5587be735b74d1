"""Laws of the tokenizer page: what it shows is what was counted, everything is escaped, every refusal is a sentence."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.chat_page.wording import words_in
from assistant.models import Models
from assistant.models.catalogue.added import AddedModels
from knowledge.pages.wording import Words
from knowledge.store.database import connect
from tests.assistant import tiny
from tuning.counting.vocabularies import Tokenizers
from tuning.pages.tokenizer_page import TokenizerPage
from tuning.pages.tokenizer_view import ENGLISH, LONGEST, MOST, SPANISH

LOCAL = "local:smollm2-135m"


def words(language: str = "en") -> Words:
    return words_in(language, TokenizerPage.place.words)


@pytest.fixture(autouse=True)
def no_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "none"))


@pytest.fixture
def models(weights: Path, tmp_path: Path) -> Iterator[Models]:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    made = Models(weights, added=AddedModels(engine))
    yield made
    made.close()
    engine.dispose()


@pytest.fixture
def page(models: Models, weights: Path) -> TokenizerPage:
    return TokenizerPage(models, Tokenizers(weights))


def ask(page: TokenizerPage, language: str = "en", **payload: Any) -> dict[str, Any]:
    return page.answer({"model": LOCAL, **payload} if payload["do"] != "show" else payload, words(language))


def ids(region: str) -> list[str]:
    return re.findall(r'data-id="(\d*)"', region)


def test_the_tokens_shown_are_those_of_the_tokenizer(page: TokenizerPage, weights: Path) -> None:
    text = "¿Dónde está el niño? 😀 <b>&amp;"
    region = ask(page, do="text", text=text)["regions"]["text"]
    pieces = Tokenizers(weights).counter().pieces(text)
    assert ids(region) == [str(piece.id) for piece in pieces]
    assert f'data-ids="{" ".join(str(piece.id) for piece in pieces)}"' in region
    assert f"<dd>{len(pieces)}</dd>" in region
    assert f"<dd>{len(text)}</dd>" in region
    drawn = re.findall(r'<span role="option"[^>]*?class="([^"]*)"[^>]*>(.*?)</span>', region)
    whole = [html.unescape(written) for looks, written in drawn if "half" not in looks]
    assert "".join(whole) == text
    assert not any("<" in written or ">" in written for _, written in drawn)
    assert sum("half" in looks for looks, _ in drawn) == sum(not piece.text for piece in pieces)


def test_english_and_spanish_stand_side_by_side_with_their_ratio(page: TokenizerPage, weights: Path) -> None:
    counter = Tokenizers(weights).counter()
    english, spanish = counter.count(ENGLISH), counter.count(SPANISH)
    region = ask(page, do="compare", english=ENGLISH, spanish=SPANISH)["regions"]["compare"]
    assert f"{english} tokens, 16 words" in region
    assert f"{spanish} tokens, 16 words" in region
    assert f"is {spanish / english:.2f} times as long as the English one" in region
    assert len(ids(region)) == english + spanish
    turned = ask(page, "es", do="compare", english=SPANISH, spanish=ENGLISH)["regions"]["compare"]
    assert "la frase inglesa es 1,72 veces tan larga" in turned
    assert "equally long" in ask(page, do="compare", english="a b", spanish="a b")["regions"]["compare"]
    assert "ratio" not in ask(page, do="compare", english="", spanish="")["regions"]["compare"]


def test_what_a_template_adds_and_what_is_learned_are_marked(page: TokenizerPage) -> None:
    region = ask(page, do="chat", question="Capital of France?", answer="Paris.")["regions"]["chat"]
    drawn = re.findall(r'<span[^>]*? class="([^"]*)"[^>]*? aria-label="[^"]*">(.*?)</span>', region, re.DOTALL)
    learned = "".join(html.unescape(text) for looks, text in drawn if "learn" in looks)
    assert learned == "Paris.<|im_end|>"
    template = "".join(html.unescape(text) for looks, text in drawn if "template" in looks)
    assert template.startswith("<|im_start|>system↵\n<|im_end|>↵\n<|im_start|>user")
    added = sum("template" in looks for looks, _ in drawn)
    assert f"adds {added} of {len(drawn)} tokens" in region


@pytest.mark.parametrize("language", ["en", "es"])
def test_without_a_tokenizer_the_rule_is_named_and_a_vocabulary_offered(page: TokenizerPage, language: str) -> None:
    region = ask(page, language, do="text", model="openai:gpt-3.5-turbo", text="one two three")["regions"]["text"]
    assert "cl100k_base" in region
    assert 'data-do="fetch"' in region
    assert "<dd>4</dd>" in region
    assert 'role="option"' not in region
    other = ask(page, language, do="text", model="ollama:x", text="one")["regions"]["text"]
    assert 'data-do="fetch"' not in other
    assert "ollama:x" in ask(page, language, do="chat", model="ollama:x", question="", answer="")["regions"]["chat"]


def test_models_at_hand_are_listed_and_those_without_a_tokenizer_apart(
    page: TokenizerPage, models: Models, tmp_path: Path
) -> None:
    folder = tiny.model(tmp_path / "mine")
    models.add(f"hf:{folder}", "<i>Mine</i>")
    first = ask(page, do="show")
    assert ask(page, do="show", stamp=first["stamp"]) == {}
    exact, rule = first["regions"]["models"].split("<optgroup")[1:]
    assert LOCAL in exact
    assert f"hf:{folder}" in exact
    assert "&lt;i&gt;Mine" in exact
    assert "openai:gpt-4o" in rule
    assert "openai:gpt-3.5-turbo" in rule
    shown = ask(page, do="text", model=f"hf:{folder}", text="ñ")["regions"]["text"]
    assert len(ids(shown)) == 2
    models.remove(f"hf:{folder}")
    assert ask(page, do="show", stamp=first["stamp"])["stamp"] != first["stamp"]


def test_a_long_text_is_counted_whole_and_drawn_in_part(page: TokenizerPage) -> None:
    text = "a1" * (LONGEST // 2)
    region = ask(page, do="text", text=text)["regions"]["text"]
    assert region.count('role="option"') == MOST
    assert "<dd>20,000</dd>" in region
    assert f"The first {MOST:,} of 20,000 tokens" in region
    assert "The first 1,000 of 20,000" in region


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\ud83d", "a\ud83db", "x" * LONGEST, "<script>alert(1)</script>", "\x00"]
)
def test_any_text_is_answered(page: TokenizerPage, text: str) -> None:
    answer = ask(page, do="text", text=text)
    assert "error" not in answer
    assert "<script>" not in answer["regions"]["text"]
    answer["regions"]["text"].encode()
    chat = ask(page, do="chat", question=text[:2000], answer=text[:2000])
    chat["regions"]["chat"].encode()
    assert ask(page, do="compare", english=text[:2000], spanish=text[:2000])["regions"]["compare"]


@pytest.mark.parametrize(
    "payload",
    [
        {"do": "text"}, {"do": "fly"}, {"do": "text", "model": "nobody", "text": "x"}, None, [],
        {"do": "text", "model": LOCAL, "text": "x" * (LONGEST + 1)},
        {"do": "text", "model": LOCAL, "text": "x", "more": 1},
        {"do": "chat", "model": "hf:", "question": "", "answer": ""},
        {"do": "compare", "model": "local:other", "english": "", "spanish": ""},
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "es"])
def test_whatever_is_asked_is_answered_by_a_sentence(page: TokenizerPage, payload: Any, language: str) -> None:
    answer = page.answer(payload, words(language))
    assert answer["error"]
    assert "\n" not in answer["error"]


def test_both_languages_have_every_word_of_the_page() -> None:
    mine = [{key for key in words(language).sentences if "tokenizer" in key} for language in ("en", "es")]
    assert mine[0] == mine[1]
    for key in mine[0]:
        english, spanish = words("en").sentences[key], words("es").sentences[key]
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", spanish)), key
