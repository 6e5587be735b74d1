"""Laws of persona files: what goes out comes back; what does not fit is a sentence that names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import ForPerson
from assistant.models import Models
from assistant.personas import Persona, Personas, files
from assistant.personas.store import marv
from assistant.personas_verbs import (
    personas_add,
    personas_duplicate,
    personas_edit,
    personas_export,
    personas_list,
    personas_remove,
    personas_restore,
    personas_show,
)
from knowledge.store.database import connect

FULL: dict[str, Any] = {
    "format": "afina-persona/1",
    "name": "Doña Marta",
    "picture": "data:image/png;base64,iVBORw0KGgo=",
    "voice": "Doña Marta es amable.\nY breve.",
    "examples": [{"user": "¿Qué tal?", "assistant": "Muy bien, hijo."}],
    "remarks": ["Ay, hijo."],
    "greeting": "Hola, hijo.",
    "language": "es",
    "model": "local:smollm2-135m",
    "settings": {"temperature": 0.0, "top_p": 0.9, "stop": ["\n\n"]},
    "tools": [],
    "collection": [{"sha256": "a" * 64, "title": "Recetas"}],
    "facts": True,
    "lineage": {"dataset": "marta v3", "base": "local:smollm2-135m", "method": "lora", "evaluation": {"rouge1": 0.41}},
}


@pytest.fixture
def personas(tmp_path: Path) -> Iterator[Personas]:
    engine = connect(f"sqlite:///{tmp_path / 'afina.sqlite3'}")
    yield Personas(engine)
    engine.dispose()


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Models]:
    made = Models(tmp_path / "weights")
    yield made
    made.close()


def data(**changes: Any) -> bytes:
    return json.dumps({**FULL, **changes}).encode()


@pytest.mark.parametrize(
    "card", [marv(), Persona(name="Rex"), Persona.model_validate(FULL)], ids=lambda card: card.name
)
def test_what_goes_out_comes_back(card: Persona) -> None:
    written = files.write(card)
    assert files.read(written) == card
    assert files.read(b"\xef\xbb\xbf" + written) == card  # as some editors save it
    assert "\\u" not in written.decode()  # a person can read it
    assert "null" not in written.decode()


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (data(colour="blue"), "colour", ["colour", "take it out"]),
        (data(voise="x"), "voise", ["or write voice"]),
        (data(settings={"temprature": 1}), "settings.temprature", ["settings.temprature", "or write temperature"]),
        (data(settings={"temperature": 9}), "settings.temperature", ["at most 2"]),
        (data(settings={"max_tokens": "many"}), "settings.max_tokens", ["whole number"]),
        (data(settings=[]), "settings", ["object"]),
        (data(examples=[{"user": "a"}]), "examples.1.assistant", ["examples.1.assistant is missing"]),
        (data(examples=[{"user": "", "assistant": "b"}]), "examples.1.user", ["empty"]),
        (data(examples=[{"user": "a", "assistant": "b"}] * 21), "examples", ["at most 20"]),
        (data(name="<b>"), "name", ["letter or a digit"]),
        (data(name="x" * 41), "name", ["40"]),
        (data(name=7), "name", ["text"]),
        (data(picture="data:image/svg+xml;base64,AAAA"), "picture", ["PNG"]),
        (data(picture="https://elsewhere.example/a.png"), "picture", ["emoji"]),
        (data(voice="v" * 8_001), "voice", ["at most 8000"]),
        (data(voice="\ud800"), "voice", ["voice"]),
        (data(language="fr"), "language", ["'en'", "'es'"]),
        (data(facts="perhaps"), "facts", ["true or false"]),
        (data(format="afina-persona/9"), "format", ["afina-persona/9", "update"]),
        (b'{"voice": "no name"}', "name", ["missing"]),
        (b"[]", "", ["one object"]),
        (b'"Marv"', "", ["one object"]),
        (b'{"name": "Marv",}', "", ["line 1, column"]),
        (b"name: Marv\nvoice: yaml\n", "", ["not JSON"]),
        (b"", "", ["not JSON"]),
        (b"\xff\xfe{\x00", "", ["UTF-8"]),
        (b"[" * 100_000, "", ["one object"]),
        (b'{"name": ' + b"9" * 5_000 + b"}", "", ["one object"]),
        (b" " * 1_000_001, "", ["1 MB"]),
    ],
)
def test_what_does_not_fit_is_one_sentence_that_names_it(content: bytes, field: str, words: list[str]) -> None:
    with pytest.raises(files.BadCard) as caught:
        files.read(content)
    english, spanish = caught.value.said("en"), caught.value.said("es")
    assert caught.value.problems[0].field == field
    assert all(word in english for word in words)
    assert english != spanish
    for sentence in (english, spanish):
        assert len(sentence) < 250
        assert "\n" not in sentence
        assert "pydantic" not in sentence


def test_a_form_learns_every_problem_at_once() -> None:
    with pytest.raises(files.BadCard) as caught:
        files.checked({"name": "", "settings": {"temperature": 9, "seed": -1}})
    assert [problem.field for problem in caught.value.problems] == ["name", "settings.temperature", "settings.seed"]


def test_an_adapter_is_loaded_only_from_a_folder_of_this_machine_that_holds_safetensors(tmp_path: Path) -> None:
    def said(folder: str) -> str:
        with pytest.raises(files.BadCard) as caught:
            files.adapter(Persona(name="Rex", adapter=folder))
        return str(caught.value)

    assert files.adapter(Persona(name="Rex")) is None
    assert "not on this machine" in said(str(tmp_path / "nowhere"))
    for folder in ("adapter", "../adapter", "\\\\server\\share", "//server/share"):
        assert "whole path" in said(folder)
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.bin").write_bytes(b"a pickle")
    assert "adapter_model.safetensors" in said(str(tmp_path))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    assert files.adapter(Persona(name="Rex", adapter=str(tmp_path))) == tmp_path


def test_a_card_comes_in_and_what_it_lacks_here_is_said(personas: Personas, models: Models, tmp_path: Path) -> None:
    path = tmp_path / "marv.persona.json"
    path.write_bytes(
        files.write(marv().model_copy(update={"model": "moon:cheese", "adapter": str(tmp_path / "nowhere")}))
    )
    (row,) = personas_add(personas, models, path=str(path))
    assert (row["name"], row["wanted"]) == ("Marv 2", "Marv")
    assert [word in " ".join(row["missing"]) for word in ("moon:cheese", "nowhere")] == [True, True]
    (spanish,) = personas_show(personas, models, name="marv-2", language="es")
    assert "no está disponible aquí" in spanish["missing"][0]
    assert spanish["card"]["model"] == "moon:cheese"


def test_a_models_folder_that_is_not_here_is_said_when_the_card_comes_in(
    personas: Personas, models: Models, tmp_path: Path
) -> None:
    path = tmp_path / "ida.persona.json"
    path.write_bytes(files.write(Persona(name="Ida", model=f"hf:{tmp_path / 'gone'}")))
    (row,) = personas_add(personas, models, path=str(path))
    assert "There is no folder" in " ".join(row["missing"])


@pytest.mark.parametrize("content", [b"[]", b"{", data(colour="blue")])
def test_a_file_that_does_not_fit_changes_nothing(
    personas: Personas, models: Models, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(files.BadCard):
        list(personas_add(personas, models, path=str(tmp_path / "x")))
    with pytest.raises(ForPerson, match="cannot be read"):
        list(personas_add(personas, models, path=str(tmp_path / "nowhere")))
    assert [row["name"] for row in personas_list(personas)] == ["Marv"]


def test_the_verbs_change_remove_and_bring_back(personas: Personas, models: Models) -> None:
    (row,) = personas_export(personas, name="@marv")
    assert row["file"] == "marv.persona.json"
    assert files.read(row["text"].encode()) == marv()
    changes = ["voice=Be kind = be Marv.", "settings.temperature=0.5", "tools=[]", "facts=true", "greeting="]
    (row,) = personas_edit(personas, models, name="Marv", changes=changes)
    card = personas.get(row["persona"]).persona
    assert (card.voice, card.settings.temperature, card.tools, card.facts, card.greeting) == (
        "Be kind = be Marv.",
        0.5,
        (),
        True,
        "",
    )
    for change in ("settings.temperature=9", "colour=blue", "nonsense", "voice.x=1", "a.b.c=1", "=", "name="):
        with pytest.raises(ForPerson):
            list(personas_edit(personas, models, name="marv", changes=[change]))
    assert personas.get(row["persona"]).persona == card
    assert [one["name"] for one in personas_duplicate(personas, name="marv", new="Doña Marta")] == ["Doña Marta"]
    with pytest.raises(files.BadCard):
        list(personas_duplicate(personas, name="marv", new="<b>"))
    list(personas_remove(personas, name="dona-marta"))
    with pytest.raises(ForPerson, match="Choose another"):
        list(personas_show(personas, models, name="dona-marta"))
    assert [one["name"] for one in personas_restore(personas)] == ["Doña Marta"]
    with pytest.raises(ForPerson, match="nothing to bring back"):
        list(personas_restore(personas, name="nobody"))
