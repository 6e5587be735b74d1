"""The laws of the catalogue: a name tells, facts win, offers are never used by themselves, a test says why."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assistant import models_verbs as verbs
from assistant.errors import ForOperator, ForPerson
from assistant.models import DEFAULT, Models, write
from assistant.models.catalogue import Price, guidance, kind_of, parameters, row_of, rows, size_class
from assistant.models.catalogue.added import AddedModels
from assistant.models.inference import Inference
from assistant.models.keys import Keys
from assistant.models.remote.servers import Ollamas, address_of
from assistant.models.scripted import Scripted, ToolCalls
from knowledge import Turn
from knowledge.store.database import connect
from tests.completions import Call, Completions
from tests.ollama import Ollama

KEY = "sk-test-0123456789abcdef"
NOWHERE = {"ollama": "http://127.0.0.1:9"}  # discard: nobody answers there


@pytest.fixture
def added(tmp_path: Path) -> AddedModels:
    return AddedModels(connect(f"sqlite:///{tmp_path / 'a.sqlite3'}"))


@pytest.fixture
def models(tmp_path: Path, added: AddedModels) -> Models:
    return Models(tmp_path, added=added, keys=Keys(tmp_path / "home"), places=NOWHERE)


@pytest.fixture
def server() -> Iterator[Completions]:
    server = Completions()
    yield server
    server.shutdown()
    server.server_close()


# ── names and rows ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "billions", "size"),
    [
        ("local:smollm2-135m", 0.135, "1B"),
        ("http://h:1/v1#meta-llama/Llama-3.2-3B-Instruct", 3.0, "1B"),
        ("ollama:llama3.1:8b", 8.0, "10B"),
        ("hf:mistralai/Mixtral-8x7B", 56.0, "100B+"),
        ("ollama:llama3.3:70B", 70.0, "100B+"),
        ("openai:gpt-5", None, ""),
        ("http://127.0.0.1:8000/v1#model-with-4bits", None, ""),
        ("hf:/models/7b-files/marv", None, ""),
    ],
)
def test_a_name_tells_its_size(name: str, billions: float | None, size: str) -> None:
    assert parameters(name) == billions
    assert size_class(parameters(name)) == size
    assert guidance(size, "en") != guidance(size, "es")


def test_every_row_has_a_date_and_a_source_and_no_row_hides_an_offered_one() -> None:
    for row in rows():
        re.compile(row.match)
        assert date.fromisoformat(row.date)
        assert row.source
        if row.offer:
            assert row_of(row.name) is row, row.name
        if row.ends:
            assert date.fromisoformat(row.ends)
    assert Price(2.0, 8.0).of(1_000_000, 500_000) == 6.0


def test_kinds() -> None:
    assert [kind_of(name) for name in (DEFAULT, "hf:x", "openai:x", "http://h/v1#m", "ollama:x")] == [
        "here", "here", "hosted", "server", "server",
    ]  # fmt: skip


def test_unknown_models_call_no_tools_until_a_test_saw_one_called(models: Models) -> None:
    name = "http://127.0.0.1:9/v1#mystery"
    assert not models.capabilities(name).tools
    models.add(name, facts={"tools": True, "context": 4096})
    assert models.capabilities(name).tools
    assert models.capabilities(name).context == 4096
    assert models.capabilities("http://127.0.0.1:9/v1#qwen3-8b").tools, "its family does"
    assert not models.capabilities("hf:Qwen/Qwen3-8B").tools, "but not where it runs here"


# ── a person's own list ──────────────────────────────────────────────────────────────────────────────────────────────


def test_added_models_are_listed_and_come_back_as_they_were(models: Models) -> None:
    name = "http://127.0.0.1:9/v1#mine-7b"
    models.add(f" {name} ", "Mine", {"tools": True})
    card = next(card for card in models.listed() if card.name == name)
    assert (card.title, card.origin, card.removable, card.kind) == ("Mine", "added", True, "server")
    was = models.remove(name)
    assert name not in [card.name for card in models.listed()]
    models.add(was.name, was.title, was.facts)
    again = next(card for card in models.listed() if card.name == name)
    assert (again.title, again.capabilities.tools) == ("Mine", True)
    with pytest.raises(ForPerson, match="not among"):
        models.remove("http://127.0.0.1:9/v1#other")


@pytest.mark.parametrize("name", ["gpt-5", "http://host/v1", "openai:", "hf:", "", "http://#m", "x" * 300])
def test_what_is_no_models_name_is_not_added(models: Models, name: str) -> None:
    with pytest.raises(ForPerson) as refused:
        models.add(name)
    assert refused.value.said("es") != refused.value.said("en")
    assert [card.name for card in models.listed()] == [DEFAULT]


def test_a_key_offers_models_and_uses_none(tmp_path: Path, added: AddedModels) -> None:
    with_key = Models(tmp_path, added=added, keys={"openai": KEY}, places=NOWHERE)
    offered = [card for card in with_key.listed() if card.origin == "offered"]
    assert {"openai:gpt-5", "openai:gpt-4o-mini"} <= {card.name for card in offered}
    assert not any(card.default for card in offered)
    assert with_key.default == DEFAULT
    assert not [card for card in Models(tmp_path, added=added, places=NOWHERE).listed() if card.origin == "offered"]


def test_a_person_chooses_the_apps_model_and_the_settings_win(tmp_path: Path, models: Models) -> None:
    name = "http://127.0.0.1:9/v1#mine"
    models.add(name)
    models.use(name)
    assert models.default == name
    assert Models(tmp_path, added=models.added).default == name, "it is kept"
    fixed = Models(tmp_path, added=models.added, default=DEFAULT)
    assert fixed.default == DEFAULT
    with pytest.raises(ForPerson, match="AFINA_MODEL"):
        fixed.use(name)
    models.remove(name)
    assert models.default == DEFAULT, "it falls back with the model"
    with pytest.raises(ForOperator, match="needs a key"):
        models.use("openai:gpt-5")
    assert models.default == DEFAULT


def test_a_key_that_changes_is_used_from_the_next_call_on(tmp_path: Path, server: Completions, models: Models) -> None:
    name = f"{server.url}/v1#some-model"
    first = models.get(name)
    assert models.get(name) is first
    keys = models._keys
    assert isinstance(keys, Keys)
    keys.set(f"{server.url}/v1", KEY)
    list(write(models.get(name), [Turn("user", "Hi")], stop=threading.Event()))
    sent = {name.lower(): value for name, value in server.headers[-1].items()}
    assert sent["authorization"] == f"Bearer {KEY}"


# ── found ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_ollama_on_this_machine_is_found_beside_the_work_and_offered(tmp_path: Path, added: AddedModels) -> None:
    with_ollama = Ollama()
    try:
        models = Models(tmp_path, added=added, places={"ollama": with_ollama.url})
        found = [card for card in models.listed(wait=5) if card.origin == "found"]
        assert found
        assert all(card.name.startswith("ollama:") and not card.default for card in found)
    finally:
        with_ollama.shutdown()
        with_ollama.server_close()


def test_looking_for_an_ollama_delays_nobody_and_stays_on_this_machine(server: Completions) -> None:
    server.silence_before_headers = 5.0
    began = time.monotonic()
    assert Ollamas(server.url).models() == ()
    assert time.monotonic() - began < 0.5
    started = threading.active_count()
    assert Ollamas("http://192.0.2.1:11434").models(wait=5) == ()
    assert threading.active_count() == started, "nobody looks there"


def test_an_address_is_asked_for_its_models(server: Completions, models: Models) -> None:
    rows = list(verbs.models_probe(models, address=server.url))
    assert [row["name"] for row in rows] == [f"{server.url}/v1#some-model"]
    assert rows[0]["context"] == 4096
    assert address_of("localhost:8000") == "http://localhost:8000/v1"
    assert address_of("https://host/openai/v1/#x") == "https://host/openai/v1"
    for wrong in ("", "ftp://host", "http://", "two words", "http://h:0"):
        with pytest.raises(ForPerson):
            address_of(wrong)


# ── tests ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_test_goes_step_by_step_and_what_it_finds_is_kept(server: Completions, models: Models) -> None:
    name = f"{server.url}/v1#some-model"
    server.script = [["Paris ", "it is."], [Call("add", '{"a": 17, "b": 25}')]]
    server.pause = 0.05
    models.add(name, facts={"context": 4096})
    steps = list(models.test(name))
    assert [step["step"] for step in steps] == ["answer", "speed", "tools", "context", "done"]
    assert all(step["ok"] for step in steps)
    card = next(card for card in models.listed() if card.name == name)
    assert card.capabilities.tools
    assert card.capabilities.source == "test"
    assert card.facts["seconds_to_first"] > 0
    server.script = [["Paris."], ["I cannot."]]
    assert not next(step for step in list(models.test(name)) if step["step"] == "tools")["ok"]
    assert not models.capabilities(name).tools, "the newest test counts"


def test_a_test_that_fails_is_one_sentence_and_not_listed(models: Models) -> None:
    steps = list(models.test("http://127.0.0.1:9/v1#m", language="es"))
    assert [(step["step"], step["ok"]) for step in steps] == [("done", False)]
    assert "\n" not in steps[0]["message"]
    assert steps[0]["message"] == steps[0]["facts"]["problem"]["es"] != steps[0]["facts"]["problem"]["en"]
    assert [card.name for card in models.listed()] == [DEFAULT], "a test alone puts nothing on the list"


def test_a_refused_test_of_tools_leaves_a_model_that_answers(server: Completions, models: Models) -> None:
    server.statuses = [200, 400]
    done = list(models.test(f"{server.url}/v1#some-model"))[-1]
    assert done["ok"]
    assert done["facts"]["tools"] is False


def test_a_server_that_wants_a_key_and_got_none_says_where_to_enter_it(server: Completions, models: Models) -> None:
    server.status = 401
    for name in (f"{server.url}/v1", f"{server.url}/v1#some-model"):
        with pytest.raises(ForOperator, match="wants a key, and none was sent") as refused:
            list(verbs.models_probe(models, address=name) if "#" not in name else write_to(models, name))
        assert "pide una clave" in refused.value.said("es")
    keyed = Models(Path(), keys={"http": KEY})
    with pytest.raises(ForOperator, match="refused the key"):
        list(write_to(keyed, f"{server.url}/v1#some-model"))


def write_to(models: Models, name: str) -> Iterator[object]:
    return write(models.get(name), [Turn("user", "Hello")], stop=threading.Event())


# ── the scripted stand-in and stop words ─────────────────────────────────────────────────────────────────────────────


def test_a_scripted_model_calls_tools_in_pieces_and_says_that_it_can(models: Models) -> None:
    model = Scripted(answers=[ToolCalls(("add", {"a": 1}), ("broken", "no json"), text="Let me see."), "Done."])
    assert model.calls_tools
    assert not models.capabilities("scripted:Hi").tools
    chunks = list(model.bind_tools([{"name": "add", "description": "", "parameters": {}}]).stream("1+1?"))
    whole: Any = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("add", {"a": 1})]
    assert [call["name"] for call in whole.invalid_tool_calls] == ["broken"]
    assert len([chunk for chunk in chunks if getattr(chunk, "tool_call_chunks", ())]) == 6
    assert str(whole.text) == "Let me see."
    assert model.settings[0]["tools"][0]["function"]["name"] == "add"
    assert model.invoke("x").text == "Done."
    assert len(model.prompts) == 2


def test_stop_words_hold_for_every_model(server: Completions, models: Models) -> None:
    server.words = ["one ", "two ", "ST", "OP ", "three"]
    for model in (models.get(f"{server.url}/v1#m"), Scripted(answers=["one two STOP three"])):
        pieces = write(model, [Turn("user", "x")], inference=Inference(stop=("STOP",)), stop=threading.Event())
        assert "".join(piece for piece in pieces if isinstance(piece, str)) == "one two "


def test_an_adapter_is_refused_where_nothing_can_wear_it(tmp_path: Path) -> None:
    with pytest.raises(ForPerson, match="adapter"):
        list(write(Scripted(answers=["x"]), [], stop=threading.Event(), adapter=tmp_path))


# ── keys by verbs ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_about_keys_hold_no_key(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    rows = [
        *verbs.models_keys_set(keys, provider="openai", secret=KEY),
        *verbs.models_keys(keys),
        *verbs.models_keys_forget(keys, provider="openai"),
    ]
    assert KEY not in str(rows)
    assert list(verbs.models_keys(keys)) == []
