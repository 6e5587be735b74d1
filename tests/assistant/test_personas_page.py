"""Laws of the personas page: strangers' words stay words, every problem stands beside its field, nothing that was made
is lost, and what a browser sends is checked."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from assistant.chat_page.wording import words_in
from assistant.errors import ForPerson
from assistant.pages import personas_page, personas_view
from assistant.pages.personas_page import PersonasPage
from assistant.personas import Example, Lineage, Persona, Personas, Source, files
from assistant.personas.store import marv
from knowledge import Turn
from knowledge.store.database import connect
from knowledge.values import Document

EVIL = '"><img src=x onerror=alert(1)></textarea><script>1</script>'
STATIC = Path(personas_page.__file__).parents[1] / "static"
EN, ES = words_in("en"), words_in("es")
CARD: dict[str, Any] = {"name": "Rex", "voice": "Rex barks."}


class EmptyShelf:
    version = 1

    def documents(self) -> Sequence[Document]:
        return []


def get(name: str) -> object:
    if name == "moon:cheese":
        raise ForPerson("It is not there.", spanish="No está.")
    return object()


class Speaks:
    """Says what it was told to, and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Persona, list[Turn]]] = []
        self.stopped = False

    def __call__(self, card: Persona, turns: Sequence[Turn], stop: Event) -> Iterator[str]:
        self.asked.append((card, list(turns)))
        if turns[-1].text == "slow":
            self.stopped = stop.wait(10)
            return
        yield from ("Wo", "of.")


@pytest.fixture
def speaks() -> Speaks:
    return Speaks()


@pytest.fixture
def personas(tmp_path: Path) -> Iterator[Personas]:
    engine = connect(f"sqlite:///{tmp_path / 'afina.sqlite3'}")
    yield Personas(engine)
    engine.dispose()


@pytest.fixture
def page(personas: Personas, speaks: Speaks) -> PersonasPage:
    def takes(model: str, language: str) -> Mapping[str, str]:
        return {"temperature": "", "top_k": f"OpenAI: {language}"} if model.startswith("openai:") else {}

    return PersonasPage(
        personas,
        EmptyShelf(),
        models=lambda language: [("local:small", "Small"), (EVIL, EVIL)],
        tools=lambda language: [("calculator", "Calculator"), ("clock", EVIL)],
        takes=takes,
        get=get,
        speak=speaks,
    )


def ask(page: PersonasPage, do: str, **fields: Any) -> dict[str, Any]:
    return page.answer({"do": do, **fields}, EN)


def fields_of(html: str) -> set[str]:
    return set(re.findall(r'data-field="([^"]+)"', html))


def test_the_form_holds_every_field_of_the_card(page: PersonasPage) -> None:
    html = ask(page, "open", persona=0)["regions"]["form"]
    settings = {f"settings.{name}" for name in ("max_tokens", "temperature", "top_k", "top_p", "seed", "stop")}
    assert fields_of(html) == set(Persona.model_fields) - {"format", "settings", "lineage"} | settings


@pytest.mark.parametrize("say", [EN, ES])
def test_a_strangers_words_stay_words(page: PersonasPage, personas: Personas, say: Any) -> None:
    stored = personas.add(
        Persona(
            name="Rex",
            picture="<b>x</b>",
            voice=EVIL,
            examples=(Example(user=EVIL, assistant=EVIL),),
            remarks=(EVIL,),
            greeting=EVIL,
            model=EVIL,
            adapter=EVIL,
            template=EVIL,
            tools=(EVIL,),
            collection=(Source(sha256="a" * 64, title=EVIL),),
            lineage=Lineage(dataset=EVIL, evaluation={EVIL: 0.5}),
        )
    )
    listed = page.answer({"do": "show"}, say)["regions"]["list"]
    opened = page.answer({"do": "open", "persona": stored.id}, say)["regions"]["form"]
    for html in (listed, opened):
        assert "<script" not in html
        assert "<img src=x" not in html
        assert "<b>" not in html
        assert html.count("</textarea>") == html.count("<textarea")


def test_a_card_shows_its_name_its_first_words_its_model_and_where_it_comes_from(
    page: PersonasPage, personas: Personas
) -> None:
    tuned = Lineage(dataset="marv v3", base="local:small", method="lora", evaluation={"rouge1": 0.4123})
    personas.add(Persona(name="Doña Marta", voice="word " * 100, model="moon:cheese", facts=True, lineage=tuned))
    html = ask(page, "show")["regions"]["list"]
    for words in ("Doña Marta", "@dona-marta", "word word", "moon:cheese", "Facts first", "marv v3", "rouge1 0.412"):
        assert words in html
    assert html.count("word") < 40
    assert "It is not there." in html  # what it lacks on this machine
    assert "0,412" in page.answer({"do": "show"}, ES)["regions"]["list"]


def test_what_did_not_change_is_not_drawn_again(page: PersonasPage, personas: Personas) -> None:
    stamp = ask(page, "show")["stamp"]
    assert ask(page, "show", stamp=stamp) == {}
    assert page.answer({"do": "show", "stamp": stamp}, ES) != {}
    personas.change(personas.all()[0].id, Persona(name="Marv"))
    assert ask(page, "show", stamp=stamp) != {}


def test_what_is_saved_is_what_was_written(page: PersonasPage, personas: Personas) -> None:
    card = {
        **CARD,
        "examples": [{"user": "Sit!", "assistant": "Woof."}],
        "settings": {"temperature": 0.5, "stop": ["\n"]},
        "tools": ["calculator"],
        "collection": [],
        "facts": True,
    }
    answer = ask(page, "save", persona=0, card=card)
    stored = personas.get(answer["saved"])
    assert stored.persona == Persona.model_validate(card)
    assert "Rex" in answer["said"]
    assert "Rex" in answer["regions"]["list"]
    ask(page, "save", persona=stored.id, card=CARD)
    assert personas.get(stored.id).persona == Persona.model_validate(CARD)


@pytest.mark.parametrize(
    ("card", "field", "words"),
    [
        ({"name": ""}, "name", "“Name”"),
        ({"name": "márv"}, "name", "already"),
        ({"name": "Afina"}, "name", "own name"),
        ({**CARD, "settings": {"temperature": 9}}, "settings.temperature", "“Temperature” must be at most 2"),
        ({**CARD, "settings": {"seed": "many"}}, "settings.seed", "whole number"),
        ({**CARD, "examples": [{"user": "", "assistant": "x"}]}, "examples.1.user", "empty"),
        ({**CARD, "picture": "data:text/html,x"}, "picture", "emoji"),
        ({**CARD, "adapter": "relative"}, "adapter", "whole path"),
        ({**CARD, "adapter": "/nowhere/at/all"}, "adapter", "not on this machine"),
        ({**CARD, "colour": "blue"}, "colour", "no field"),
    ],
)
def test_a_problem_stands_beside_its_field_and_nothing_is_stored(
    page: PersonasPage, personas: Personas, card: dict[str, Any], field: str, words: str
) -> None:
    (problem,) = ask(page, "save", persona=0, card=card)["problems"]
    assert problem["field"] == field
    assert words in problem["said"]
    assert [one.name for one in personas.all()] == ["Marv"]
    assert page.answer({"do": "save", "persona": 0, "card": card}, ES)["problems"][0]["said"] != problem["said"]


def test_a_form_cannot_change_where_a_tuned_persona_comes_from(page: PersonasPage, personas: Personas) -> None:
    stored = personas.add(Persona(name="Rex", lineage=Lineage(dataset="rex v1")))
    ask(page, "save", persona=stored.id, card={**CARD, "lineage": {"dataset": "forged"}})
    ask(page, "save", persona=0, card={"name": "New", "lineage": {"dataset": "forged"}})
    assert personas.get(stored.id).persona.lineage == Lineage(dataset="rex v1")
    new = personas.named("New")
    assert new is not None
    assert new.persona.lineage is None


def test_removed_is_taken_back_and_a_duplicate_stands_beside(page: PersonasPage, personas: Personas) -> None:
    first = personas.all()[0]
    assert "Marv 2" in ask(page, "duplicate", persona=first.id)["regions"]["list"]
    gone = ask(page, "remove", persona=first.id)
    assert gone["removed"] == first.id
    assert "Marv" in gone["undo"]
    assert [one.name for one in personas.all()] == ["Marv 2"]
    ask(page, "restore", persona=gone["removed"])
    assert personas.get(first.id).persona == first.persona
    assert "may have been removed" in ask(page, "remove", persona=999)["error"]


def test_what_is_exported_comes_in_again(page: PersonasPage, personas: Personas) -> None:
    file = ask(page, "export", persona=personas.all()[0].id)["file"]
    assert file["name"] == "marv.persona.json"
    assert files.read(file["text"].encode()) == marv()
    answer = ask(page, "import", data=base64.b64encode(file["text"].encode()).decode())
    assert "Marv is taken" in answer["said"]
    assert [one.name for one in personas.all()] == ["Marv", "Marv 2"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b" " * 1_000_001, json.dumps({"nme": "x"}).encode()])
def test_a_file_that_does_not_fit_is_one_sentence(page: PersonasPage, personas: Personas, content: bytes) -> None:
    answer = ask(page, "import", data=base64.b64encode(content).decode())
    assert set(answer) == {"error"}
    assert "\n" not in answer["error"]
    assert len(personas.all()) == 1


def test_a_try_asks_the_cards_own_voice_and_keeps_nothing(
    page: PersonasPage, personas: Personas, speaks: Speaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(page, "try", persona=0, card=CARD, question="How are you?") == {"answer": "Woof."}
    card, turns = speaks.asked[0]
    assert (card.name, turns[0].text.split("\n")[0], turns[-1].text) == ("Rex", "Rex barks.", "How are you?")
    assert len(personas.all()) == 1
    assert ask(page, "try", persona=0, card={"name": ""}, question="?")["problems"][0]["field"] == "name"
    assert len(speaks.asked) == 1
    monkeypatch.setattr(personas_page, "TRY_SECONDS", 0.05)
    began = time.monotonic()
    assert "too long" in ask(page, "try", persona=0, card=CARD, question="slow")["answer"]
    assert speaks.stopped
    assert time.monotonic() - began < 5


def test_settings_that_a_model_does_not_take_come_with_the_reason(page: PersonasPage, personas: Personas) -> None:
    assert ask(page, "takes", model="openai:gpt")["takes"] == {"top_k": "OpenAI: en"}
    assert ask(page, "takes", model="local:small")["takes"] == {}
    stored = personas.add(Persona(name="Rex", model="openai:gpt"))
    assert "OpenAI: en" in ask(page, "open", persona=stored.id)["regions"]["form"]


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"do": "drop"},
        {"do": "open"},
        {"do": "open", "persona": -1},
        {"do": "remove", "persona": 1, "more": 1},
        {"do": "import", "data": "x" * 2_000_000},
        {"do": "import", "data": "no base64!"},
        {"do": "try", "persona": 0, "card": {}, "question": ""},
        {"do": "save", "persona": 0, "card": []},
    ],
)
def test_anything_else_is_refused_with_a_sentence(page: PersonasPage, personas: Personas, payload: Any) -> None:
    assert set(page.answer(payload, EN)) == {"error"}
    assert len(personas.all()) == 1


def test_every_word_and_every_action_of_the_page_is_there(page: PersonasPage) -> None:
    script = (STATIC / "personas.js").read_text("utf-8")
    html = page.shell(EN) + ask(page, "show")["regions"]["list"] + ask(page, "open", persona=1)["regions"]["form"]
    known = {"sidebar"}  # of every page
    for action in set(re.findall(r'data-do="([a-z-]+)"', html)) - known:
        assert re.search(rf"^    {action}[:,]", script, re.MULTILINE), action
    for key in re.findall(r"words\.(\w+)", script):
        assert f"js_{key}" in EN.sentences
        assert f"js_{key}" in ES.sentences
    for region in ("list", "form"):
        assert f'data-region="{region}"' in html


def test_a_picture_comes_from_nowhere_but_the_card() -> None:
    shown = personas_view.portrait("data:image/png;base64,AAAA", "Rex")
    assert 'src="data:image/png;base64,AAAA"' in shown
    assert "src" not in personas_view.portrait("🦖", "Rex")
    assert ">R<" in personas_view.portrait("", "Rex")
