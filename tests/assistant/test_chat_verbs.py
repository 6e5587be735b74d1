"""Laws of `afina ask` and `afina chats`: rows of plain JSON of the agreed shape."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import verbs
from assistant.agent import Agent
from assistant.agent.approvals import Approvals
from assistant.chat_page.answers import Chat
from assistant.chat_page.company import Company
from assistant.chat_page.wording import words_in
from assistant.history import History, UnknownConversation
from assistant.models import Models
from assistant.models.scripted import Scripted, ScriptedModels
from assistant.personas import Personas
from assistant.routing.corrections import Corrections
from assistant.tools import Toolbox
from assistant.turns import Turns
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.pages.arrivals import Arrivals
from knowledge.pages.documents_page import Documents
from knowledge.store.database import connect
from tests.pdfs import handbook

Parts = tuple[Library, History, Turns]
QUESTION = "How many wind turbines does Brenmoor Energy operate?"


@pytest.fixture
def model() -> Scripted:
    return Scripted(answers=["Brenmoor Energy operates 212 wind turbines [1]."])


@pytest.fixture
def parts(embedder: Embedder, home: Path, model: Scripted) -> Iterator[Parts]:
    home.mkdir()
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    history = History(engine)
    turns = Turns(history, Agent(library, ScriptedModels(model)))
    yield library, history, turns
    turns.close()
    library.close()
    engine.dispose()


def plain(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Through JSON and back: nothing but plain values is in a row."""
    return [json.loads(json.dumps(row)) for row in rows]


def test_ask_with_a_file_adds_it_streams_and_ends_with_a_cited_answer(parts: Parts, tmp_path: Path) -> None:
    file = handbook(tmp_path / "handbook.pdf", pages=8)
    rows = plain(verbs.ask(*parts, question=QUESTION, files=[str(file)]))
    kinds = [row["type"] for row in rows]
    assert kinds[0] == "progress"
    assert "asked" in kinds, rows[-2]["message"]
    assert (
        kinds.index("asked") < kinds.index("route_chosen") < kinds.index("passages_found") < kinds.index("text_delta")
    )
    last = rows[-1]
    assert last["type"] == "answered"
    assert last["route"] == "documents"
    assert "212" in last["text"]
    assert last["usage"].keys() >= {"prompt_tokens", "completion_tokens", "seconds"}
    assert last["citations"]
    for citation in last["citations"]:
        assert set(citation) == {"n", "document", "title", "page", "quote", "verified"}
        assert f"[{citation['n']}]" in last["text"]
    assert any(citation["page"] == 7 and citation["verified"] for citation in last["citations"])


def test_what_was_asked_is_in_the_history_with_its_file(parts: Parts, tmp_path: Path) -> None:
    file = handbook(tmp_path / "handbook.pdf", pages=8)
    rows = plain(verbs.ask(*parts, question=QUESTION, files=[str(file)]))
    asked = next(row for row in rows if row["type"] == "asked")
    shown = plain(verbs.chats_show(parts[1], conversation=asked["conversation"]))
    assert [(row["role"], row["text"]) for row in shown] == [("user", QUESTION), ("assistant", rows[-1]["text"])]
    assert parts[1].attached(asked["conversation"]) == [rows[0]["document"] or rows[-1]["citations"][0]["document"]]


def test_ask_without_documents_is_plain_talk(parts: Parts, model: Scripted) -> None:
    last = plain(verbs.ask(*parts, question="Thanks!"))[-1]
    assert (last["type"], last["route"], last["citations"]) == ("answered", "chat", [])


def test_ask_with_no_usable_file_asks_nothing_and_says_so(parts: Parts, tmp_path: Path, model: Scripted) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"not a pdf at all")
    rows = plain(verbs.ask(*parts, question="?", files=[str(bad)]))
    assert rows[-1]["type"] == "failed"
    assert any(row["type"] == "progress" and row["message"] for row in rows)
    in_spanish = plain(verbs.ask(*parts, question="?", files=[str(bad)], language="es"))
    assert any("no es un PDF" in row.get("message", "") for row in in_spanish if row["type"] == "progress")
    assert model.prompts == []
    assert parts[1].conversations() == []


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question_leaves_no_conversation(parts: Parts, question: str) -> None:
    (row,) = plain(verbs.ask(*parts, question=question, language="es"))
    assert row["type"] == "failed"
    assert "vacía" in row["message"]
    assert parts[1].conversations() == []


def test_a_plain_answer_says_that_it_is_not_from_the_documents_where_there_are_some(
    parts: Parts, tmp_path: Path, model: Scripted
) -> None:
    model.answers = ["Well."]
    assert plain(verbs.ask(*parts, question="Write a haiku about autumn"))[-1]["note"] == ""
    list(parts[0].add(handbook(tmp_path / "handbook.pdf", pages=8)))
    assert "not come from your documents" in plain(verbs.ask(*parts, question="Write a haiku about autumn"))[-1]["note"]
    assert plain(verbs.ask(*parts, question="Thanks!"))[-1]["note"] == ""
    assert plain(verbs.ask(*parts, question=QUESTION))[-1]["note"] == ""


def test_an_empty_message_on_the_page_leaves_no_conversation(parts: Parts) -> None:
    library, history, turns = parts
    arrivals = Arrivals(library)
    engine = history._engine
    models = Models(Path())
    company = Company(Personas(engine), Toolbox(engine), Corrections(engine), Approvals(engine), models)
    chat = Chat(history, turns, models, Documents(library, arrivals), company)
    payload = {"do": "send", "text": "   ", "conversation": None}
    assert chat.answer(payload, words_in("es"))["error"].startswith("El mensaje está vacío")
    assert history.conversations() == []
    assert chat.answer({"do": "answer-now", "conversation": None}, words_in("es"))["error"].startswith("Este chat")
    arrivals.close()


def test_ask_refuses_a_persona_that_is_not_here(parts: Parts) -> None:
    assert plain(verbs.ask(*parts, question="Thanks!", persona="pirate"))[-1]["type"] == "failed"


def test_ask_fails_in_a_row_when_the_route_is_not_here(parts: Parts) -> None:
    last = plain(verbs.ask(*parts, question="Thanks!", route="tools"))[-1]
    assert last["type"] == "failed"
    assert "choose a tool" in last["message"]


def test_the_callers_stop_stops_the_answer(parts: Parts, model: Scripted) -> None:
    model.delay, model.answers = 0.1, [" ".join(f"word{n}" for n in range(100))]
    stop = threading.Event()
    rows = []
    for row in verbs.ask(*parts, question="Thanks!", stop=stop):
        rows.append(row)
        if row["type"] == "text_delta":
            stop.set()
    assert rows[-1]["type"] == "stopped"


def test_who_goes_away_stops_the_answer(parts: Parts, model: Scripted) -> None:
    model.delay, model.answers = 0.1, [" ".join(f"word{n}" for n in range(100))]
    rows = verbs.ask(*parts, question="Thanks!")
    asked = next(rows)
    while next(rows)["type"] != "text_delta":
        pass
    rows.close()  # type: ignore[attr-defined]
    assert list(parts[2].follow(asked["message"]))[-1].text  # type: ignore[union-attr]
    assert parts[2].running(asked["conversation"]) is None


def chat(parts: Parts, *questions: str) -> int:
    conversation = parts[1].create().id
    parent = None
    for question in questions:
        parent = parts[2].start(conversation, question, parent)
        list(parts[2].follow(parent))
    return conversation


def test_list_comes_newest_first_and_can_be_searched(parts: Parts) -> None:
    first, second = chat(parts, "Hello"), chat(parts, "¡Adiós!")
    rows = plain(verbs.chats_list(parts[1]))
    assert [row["conversation"] for row in rows] == [second, first]
    assert set(rows[0]) == {"conversation", "title", "messages", "created_at", "updated_at"}
    assert [row["title"] for row in verbs.chats_list(parts[1], search="ADIOS")] == ["¡Adiós!"]


def test_export_as_json_and_jsonl_holds_every_branch_and_markdown_the_shown_one(parts: Parts) -> None:
    conversation = chat(parts, "Hello", "Thanks")
    parts[2].follow(parts[2].retry(parts[1].thread(conversation)[1].id))
    answer = parts[1].thread(conversation)[-1]
    list(parts[2].follow(answer.id))
    whole = plain(verbs.chats_export(parts[1], conversation=conversation))[0]["conversations"][0]
    lines = plain(verbs.chats_export(parts[1], format="jsonl"))
    assert lines == [whole]
    assert [message["text"] for message in whole["messages"]].count("Hello") == 1
    assert len(whole["messages"]) == 5
    assert len({message["id"] for message in whole["messages"]}) == 5
    assert whole["shown"] == answer.id
    (markdown,) = plain(verbs.chats_export(parts[1], format="markdown"))
    assert set(markdown) == {"text"}
    assert markdown["text"].startswith("# Hello\n")
    assert "Thanks" not in markdown["text"]  # it follows the answer that was retried


def test_rename_and_delete(parts: Parts) -> None:
    conversation = chat(parts, "Hello")
    assert plain(verbs.chats_rename(parts[1], conversation=conversation, title="New"))[0]["title"] == "New"
    (row,) = plain(verbs.chats_delete(parts[1], conversation=conversation))
    assert (row["conversation"], row["deleted"]) == (conversation, True)
    assert plain(verbs.chats_list(parts[1])) == []
    for verb in (verbs.chats_show, verbs.chats_delete):
        with pytest.raises(UnknownConversation):
            list(verb(parts[1], conversation=conversation))
    parts[1].restore(conversation)
    assert len(plain(verbs.chats_show(parts[1], conversation=conversation))) == 2
