"""The verbs of the datasets, as the command line and the running app call them: by name, with plain JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.service.settings import Settings
from assistant.service.verbs import BadArguments, UnknownVerb, prepare
from tests.tuning.chats import chat, exchange, reply, say
from tuning.errors import ForPerson
from tuning.parts import Parts

Row = dict[str, Any]
Call = Callable[..., list[Row]]


@pytest.fixture
def parts(tmp_path: Path, weights: Path) -> Iterator[Parts]:
    home = tmp_path / "home"
    home.mkdir()
    parts = Parts(Settings(home=home, weights=weights, _env_file=None))  # type: ignore[call-arg]
    yield parts
    parts.close()


@pytest.fixture
def call(parts: Parts) -> Call:
    def call(verb: str, language: str = "en", **arguments: Any) -> list[Row]:
        plain = json.loads(json.dumps(arguments))
        rows = list(prepare(parts, f"data.{verb}", plain, threading.Event(), language)())
        json.dumps(rows)  # plain JSON, all of it
        return rows

    return call


@pytest.fixture
def chats(parts: Parts) -> int:
    """Ten liked answers, one that is not, one corrected, one asked for three times."""
    history = parts.history
    c = chat(history)
    for n in range(10):
        history.rate(exchange(history, c, f"Question {n}: how far is it?", f"It is {n + 3} metres from here."), True)
    exchange(history, c, "And now?", "Nothing special.")
    other = chat(history)
    history.correct(exchange(history, other, "Capital of Australia?", "It is Sydney."), "It is Canberra.")
    third = chat(history)
    asked = say(history, third, "My house is too hot")
    for text in ("Open a window.", "Move out.", "Close the blinds at noon."):
        reply(history, third, asked, text)
    return c


def test_from_liked_chats_to_a_file_that_its_provider_takes(call: Call, chats: int, tmp_path: Path) -> None:
    counted = {"name": "liked", "found": 10, "answers": 10}
    assert call("build", name="liked", rating="liked", turns="exchange", dry=True) == [counted]
    assert call("build", name="liked", rating="liked", dry=True) == [{**counted, "found": 1}]  # one conversation
    assert call("list") == []
    (built,) = call("build", name="liked", rating="liked", turns="exchange")
    assert (built["added"], built["known"]) == (10, 0)
    assert call("build", name="liked", rating="liked", turns="exchange")[0]["known"] == 10
    assert call("approve", name="liked") == [{"changed": 10, "left": 0, "status": "approved"}]
    (version,) = call("freeze", name="liked", share=0.0)
    assert (version["version"], version["train"]) == (1, 10)
    out = tmp_path / "train.jsonl"
    (export,) = call("export", name="liked", to="openai", out=str(out))
    assert export["rows"] == 10
    assert export["left_out"] == []
    *problems, summary = call("check", path=str(out), format="openai", model="gpt-3.5-turbo-0125")
    assert (summary["rows"], summary["errors"]) == (10, 0)
    assert {one["code"] for one in problems} <= {"few_advised"}


def test_a_ranking_and_a_correction_become_preferences_that_their_provider_takes(
    call: Call, chats: int, tmp_path: Path
) -> None:
    call("build", name="pairs", kind="preference")
    call("build", name="pairs", kind="ranking", conversations=[chats + 2])
    rows = call("examples", name="pairs")
    assert {row["kind"] for row in rows} == {"preference", "ranking"}
    (ranking,) = (row["example"] for row in rows if row["kind"] == "ranking")
    (approved,) = call("approve", name="pairs")
    assert approved["left"] == 1  # it waits for a person
    call("rank", number=ranking, ranks=[2, 3, 1])
    call("approve", name="pairs", numbers=[ranking])
    call("freeze", name="pairs", share=0.0)
    out = tmp_path / "pairs.jsonl"
    (export,) = call("export", name="pairs", to="openai-preference", out=str(out))
    pairs = [row for row in rows if row["kind"] == "preference"]
    assert export["rows"] == len(pairs) + 3  # N·(N−1)/2
    *problems, _ = call("check", path=str(out), format="openai-preference")
    assert {one["code"] for one in problems if one["severity"] == "error"} <= {"few_examples"}


def test_a_sample_is_imported_converted_and_counted(call: Call, tmp_path: Path) -> None:
    last = call("samples", sample="marv")[-1]
    assert (last["status"], last["skipped"]) == ("done", 0)
    assert last["read"] >= 50
    first = call("examples", name="marv", limit=1)[0]
    assert "capital of France" in first["prompt"]
    number = call("imports", name="marv")[0]["import"]
    call("approve", name="marv")
    call("freeze", name="marv")
    out = str(tmp_path / "marv.jsonl")
    call("export", name="marv", to="openai", out=out, split="all")
    (made,) = call("convert", path=out, to="trl", out=str(tmp_path / "trl.jsonl"))
    assert (made["format"], made["rows"]) == ("trl-messages", last["read"])
    (estimate,) = call("estimate", name="marv", model="local:smollm2-135m", probe=False, epochs=2, batch=10)
    assert estimate["steps"] == 2 * -(-last["read"] // 10)
    assert estimate["tokens"] > 20 * last["read"]
    (undone,) = call("undo-import", number=number)
    assert undone["taken_out"] == last["read"]
    assert call("list")[0]["examples"] == 0


def test_the_notes_figures_come_out(call: Call) -> None:
    (one,) = call("estimate", words=1_084_170, price=8, epochs=1)
    assert (one["tokens"], one["price"]) == (813_127.5, 6.51)
    assert call("estimate", words=1_084_170, price="8")[0]["price"] == 26.04
    assert call("estimate", tokens=100_000, epochs=3, price="8,0")[0]["price"] == 2.4
    assert call("estimate", examples=10_000, batch=100, epochs=2)[0]["steps"] == 200


def test_what_is_wrong_is_found_mended_and_found_no_more(call: Call, parts: Parts) -> None:
    history = parts.history
    c = chat(history)
    exchange(history, c, "Write to ana.ruiz@example.org, please.", "I wrote to ana.ruiz@example.org.")
    exchange(history, chat(history), "What is it?", "I am sorry, but I cannot help with that.")
    call("build", name="mine", turns="exchange")
    last = call("review", name="mine")[-1]
    codes = {one["code"]: one["examples"] for one in last["findings"]}
    assert codes["email"] == 1
    assert codes["refusal"] == 1
    assert all(one["title"] for one in last["findings"])
    assert call("mend", name="mine", codes=["email"])[0]["changed"] == 1
    call("review", name="mine")
    left = {one["code"] for one in call("review", name="mine")[-1]["findings"]}
    assert "email" not in left
    text = json.dumps(call("example", number=call("examples", name="mine")[0]["example"]))
    assert "ana.ruiz" not in text
    assert call("undo", name="mine") == [{"undone": "mend"}]


def test_near_duplicates_and_contradictions_are_found_across_examples(call: Call, parts: Parts) -> None:
    history = parts.history
    words = "The bridge over the river Olmo was built of grey stone by Ana Ruiz and her brother in the spring of 1931"
    for more in (".", " .", " indeed."):
        exchange(history, chat(history), "Tell me about the bridge over the Olmo", words + more)
    exchange(history, chat(history), "Who built it?", "Ana Ruiz.")
    exchange(history, chat(history), "Who built it?", "Nobody knows.")
    call("build", name="mine", turns="exchange")
    codes = {one["code"]: one["examples"] for one in call("review", name="mine")[-1]["findings"]}
    assert codes["near_duplicate"] >= 1
    assert codes["contradiction"] == 2


def test_a_conversation_and_its_score_are_not_the_same_twice(call: Call, parts: Parts) -> None:
    history = parts.history
    history.rate(exchange(history, chat(history), "Who built the bridge?", "Ana Ruiz and her brother built it."), True)
    for kind in ("conversation", "score"):
        call("build", name="mine", kind=kind, turns="exchange")
    assert call("review", name="mine")[-1]["examples"] == 2
    assert not [one for one in call("review", name="mine")[-1]["findings"] if one["code"] == "near_duplicate"]


def test_a_version_leaves_as_a_zip_and_comes_back(call: Call, chats: int, tmp_path: Path) -> None:
    call("build", name="liked", rating="liked", turns="exchange")
    call("approve", name="liked")
    (version,) = call("freeze", name="liked")
    call("export", name="liked", to="zip", out=str(tmp_path / "liked.zip"))
    (back,) = call("take", path=str(tmp_path / "liked.zip"), name="back")
    assert back["fingerprint"] == version["fingerprint"]
    assert call("card", name="back")[0]["name"] == "liked"
    call("drop", name="liked", numbers=[call("examples", name="liked")[0]["example"]])
    call("freeze", name="liked")
    change = call("diff", name="liked", before=1, after=2)[-1]
    assert change["removed"] == 1
    assert change["same"] + change["moved"] == 9


def test_a_deleted_chat_is_in_no_draft_and_marks_its_versions(call: Call, parts: Parts, chats: int) -> None:
    call("build", name="liked", rating="liked", turns="exchange")
    call("approve", name="liked")
    call("freeze", name="liked")
    parts.history.delete(chats)
    assert call("list")[0]["examples"] == 0
    assert call("versions", name="liked")[0]["deleted_chats"] == 10


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("examples", {"name": "none"}, "no dataset none"),
        ("samples", {"sample": "../x"}, "no sample"),
        ("import", {"name": "x", "path": "/nowhere/x.json"}, "no file|could not be read|cannot be read"),
        ("export", {"name": "none", "to": "openai", "out": "x"}, "no dataset"),
        ("estimate", {}, "nothing to count"),
        ("estimate", {"words": 10, "price": "cheap"}, "no price"),
        ("check", {"path": "x", "format": "word"}, "no format"),
        ("example", {"number": 99}, "no example 99"),
        ("distil", {"name": "x"}, "topic"),
        ("documents", {"name": "x"}, "no documents"),
    ],
)
def test_what_cannot_be_done_is_said_in_both_languages(parts: Parts, verb: str, arguments: Row, said: str) -> None:
    with pytest.raises(ForPerson, match=said) as raised:
        list(prepare(parts, f"data.{verb}", arguments, threading.Event())())
    assert raised.value.said("es") != raised.value.said("en")
    assert parts.datasets.all() == []


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [("build", {"name": "x", "rating": "loved"}), ("list", {"x": 1}), ("approve", {"name": "x", "only": {"by": 1}})],
)
def test_bad_usage_is_refused_before_anything_is_done(parts: Parts, verb: str, arguments: Row) -> None:
    with pytest.raises(BadArguments):
        prepare(parts, f"data.{verb}", arguments, threading.Event())
    with pytest.raises(UnknownVerb):
        prepare(parts, "data.none", {}, threading.Event())
