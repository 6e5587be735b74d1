"""Laws of the personas: a name is one living persona's, nothing that was made is lost, @ names who is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from assistant.history import History
from assistant.personas import NameTaken, Persona, Personas, UnknownPersona, mentions
from assistant.personas.store import marv
from knowledge.store.database import connect


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'afina.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def personas(engine: Engine) -> Personas:
    return Personas(engine)


def names(personas: Personas) -> list[str]:
    return [one.name for one in personas.all()]


def test_marv_is_there_from_the_first_start_and_knows_his_three_answers(personas: Personas) -> None:
    (stored,) = personas.all()
    assert stored.name == "Marv"
    asked = " ".join(example.user for example in stored.persona.examples)
    for subject in ("capital of France", "Romeo and Juliet", "Moon", "capital de Francia", "Romeo y Julieta", "Luna"):
        assert subject in asked


def test_marv_is_put_there_once(engine: Engine, personas: Personas) -> None:
    """Removed he stays removed, and what was made of him stays as it was made."""
    stored = personas.all()[0]
    personas.change(stored.id, Persona(name="Marvin", voice="Kind."))
    assert names(Personas(engine)) == ["Marvin"]
    personas.remove(stored.id)
    assert names(Personas(engine)) == []


@pytest.mark.parametrize("name", ["Marv", "MARV", "márv", "Afina", "afina"])
def test_a_name_is_one_living_personas(personas: Personas, name: str) -> None:
    with pytest.raises(NameTaken) as caught:
        personas.add(Persona(name=name))
    assert caught.value.said("es") != caught.value.said("en")
    other = personas.add(Persona(name="Doña Marta"))
    with pytest.raises(NameTaken):
        personas.change(other.id, Persona(name=name))
    assert personas.change(other.id, Persona(name="DOÑA MARTA")).name == "DOÑA MARTA"  # her own is free to her
    if "fina" not in name:
        personas.remove(personas.all()[0].id)
        assert personas.add(Persona(name=name)).name == name


def test_a_persona_is_found_by_any_spelling_of_its_name(personas: Personas) -> None:
    marta = personas.add(Persona(name="Doña Marta"))
    for name in ("Doña Marta", "dona marta", "DONA-MARTA", "@doña marta"):
        assert personas.named(name) == marta
    assert personas.named("Marta") is None


def test_a_duplicate_differs_in_its_name_alone(personas: Personas) -> None:
    stored = personas.all()[0]
    copies = [personas.duplicate(stored.id), personas.duplicate(stored.id)]
    copies.append(personas.duplicate(copies[0].id, "Marvin"))
    assert [copy.name for copy in copies] == ["Marv 2", "Marv 3", "Marvin"]
    for copy in copies:
        assert copy.persona.model_dump(exclude={"name"}) == stored.persona.model_dump(exclude={"name"})
    longest = personas.add(Persona(name="x" * 40))
    assert personas.duplicate(longest.id).name == "x" * 38 + " 2"


def test_what_was_removed_comes_back_whole(personas: Personas) -> None:
    stored = personas.all()[0]
    assert personas.remove(stored.id) == stored
    with pytest.raises(UnknownPersona):
        personas.get(stored.id)
    assert [one.id for one in personas.removed("marv")] == [stored.id]
    assert personas.restore(stored.id).persona == stored.persona
    assert personas.restore(stored.id).persona == stored.persona  # once more is no harm
    personas.remove(stored.id)
    personas.add(Persona(name="Marv"))
    assert personas.restore(stored.id).name == "Marv 2"
    with pytest.raises(UnknownPersona):
        personas.restore(999)


def test_what_one_reads_another_wrote(engine: Engine, personas: Personas) -> None:
    """Nothing is remembered past a change, and every change moves the clock that pages watch."""
    other, history, stored = Personas(engine), History(engine), personas.all()[0]
    before = history.version()
    for voice in ("One.", "Two.", "Three."):
        other.change(stored.id, Persona(name="Marv", voice=voice))
        assert personas.all()[0].persona.voice == voice
        assert personas.get(stored.id).persona.voice == voice
    assert history.version() == before + 3
    other.remove(stored.id)
    assert personas.all() == []


def test_a_card_comes_back_as_it_was_stored(personas: Personas) -> None:
    card = Persona.model_validate(
        {
            "name": "Rex",
            "picture": "data:image/png;base64,AAAA",
            "examples": [{"user": "a", "assistant": "b"}],
            "tools": [],
            "collection": [{"sha256": "a" * 64, "title": "t"}],
            "settings": {"temperature": 0, "stop": ["x"]},
            "lineage": {"dataset": "marv v1", "evaluation": {"rouge1": 0.5}},
            "facts": True,
        }
    )
    assert personas.get(personas.add(card).id).persona == card


NAMES = {"marv": "Marv", "marv-2": "Marv 2", "dona-marta": "Doña Marta", "st-john": "St. John", "o-brien": "O'Brien"}


@pytest.mark.parametrize(
    ("text", "who", "left"),
    [
        ("@Marv what is the capital of France?", "marv", "what is the capital of France?"),
        ("@marv, what is it?", "marv", "what is it?"),
        ("@MÁRV: what is it?", "marv", "what is it?"),
        ("¿@Marv, qué hora es?", "marv", "¿qué hora es?"),
        ("What is it, @marv?", "marv", "What is it?"),
        ("Thanks @marv!", "marv", "Thanks!"),
        ("Tell me, @marv, how far is it?", "marv", "Tell me, how far is it?"),
        ("Is @marv right?", "marv", "Is Marv right?"),
        ("What would @marv's answer be?", "marv", "What would Marv's answer be?"),
        ("Tell a story about @marv.", "marv", "Tell a story about Marv."),
        ("Escribe algo sobre @dona-marta", "dona-marta", "Escribe algo sobre Doña Marta"),
        ("@dona-marta hola", "dona-marta", "hola"),
        ("@Doña Marta, hola", "dona-marta", "hola"),
        ("@Don\u0303a Marta, hola", "dona-marta", "hola"),  # as macOS spells ñ
        ('@"Doña Marta", hola', "dona-marta", "hola"),
        ("@“doña marta” hola", "dona-marta", "hola"),
        ("@«Doña Marta»: hola", "dona-marta", "hola"),
        ("@marv-2 hello", "marv-2", "hello"),
        ("@marv 2 and 2?", "marv", "2 and 2?"),
        ("@St. John hello", "st-john", "hello"),
        ("@O'Brien hello", "o-brien", "hello"),
        ("@marv\nfirst\nsecond", "marv", "first\nsecond"),
        ("(@marv) hello", "marv", "hello"),
        ("@nobody and @marv, hello", "marv", "@nobody and Marv, hello"),
        ("@marv", "marv", ""),
    ],
)
def test_who_is_named_and_what_is_left_of_the_message(text: str, who: str, left: str) -> None:
    found = mentions.find(text, NAMES)
    assert found is not None
    assert (found.handle, found.text) == (who, left)


@pytest.mark.parametrize(
    "text",
    [
        "write to ana@marv.com",
        "write to @marv.com",
        "ana@marv",
        "ask @marv@mastodon.social",
        "https://example.org/@marv",
        "`@marv` is a decorator",
        "@marvin hello",
        "@marv-3 hello",
        "@marv_x",
        '@"Marv the Great" hello',
        "@ marv",
        "@",
        "Marv, hello",
    ],
)
def test_what_is_no_mention_stays_as_it_was(personas: Personas, text: str) -> None:
    assert mentions.find(text, NAMES) is None
    assert personas.mentioned(text) == (None, text)


def test_who_was_removed_is_no_longer_mentioned(personas: Personas) -> None:
    stored, left = personas.mentioned("hola @marv")
    assert stored is not None
    assert stored.persona == marv()
    assert left == "hola"
    personas.remove(stored.id)
    assert personas.mentioned("hola @marv") == (None, "hola @marv")
