"""Laws of who answers in a chat: what was chosen before the first message, corrections noted, permissions, one cast.

The real chat behind the page, on a real database; only what answers is a script.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from assistant.agent.approvals import Approvals
from assistant.chat_page.answers import Chat
from assistant.chat_page.company import Company
from assistant.chat_page.wording import words_in
from assistant.choice import AUTO, Choice
from assistant.events import Answered, ApprovalGiven, ApprovalNeeded, Decision, Event, Route, RouteChosen, ToolStarted
from assistant.history import Conversation, History
from assistant.models import Models
from assistant.personas import Persona, Personas
from assistant.routing.corrections import Corrections
from assistant.tools import Toolbox
from assistant.turns import Turns
from knowledge import Usage
from knowledge.library import Library
from knowledge.pages.arrivals import Arrivals
from knowledge.store.database import connect

SAY = words_in("en")


class Script:
    """Says what it was asked with; asks before it does anything when told to."""

    def __init__(self, approvals: Approvals) -> None:
        self.approvals, self.asked = approvals, list[tuple[Choice, Conversation | None]]()

    def run(
        self,
        question: str,
        *,
        choice: Choice = AUTO,
        conversation: Conversation | None = None,
        message: int = 0,
        stop: threading.Event,
        **_: Any,
    ) -> Iterator[Event]:
        self.asked.append((choice, conversation))
        route = Route(choice.route) if choice.route != "auto" else Route.CHAT
        yield RouteChosen(route, "why", 0.9, choice.tool, {}, choice.persona)
        if "web" in question and conversation:
            pending = self.approvals.expect(message, conversation.id, "c1", "web_page")
            yield ToolStarted("c1", "web_page", {"url": "https://a.example"})
            yield ApprovalNeeded("c1", "web_page", {"url": "https://a.example"})
            yield ApprovalGiven("c1", self.approvals.wait(pending, stop) or Decision.DENY)
        yield Answered("Done.", (), None, Usage())


class Page:
    """A browser tab, without the browser."""

    def __init__(self, chat: Chat, script: Script, turns: Turns) -> None:
        self.chat, self.script, self.turns, self.conversation = chat, script, turns, None

    def __call__(self, do: str, **more: Any) -> dict[str, Any]:
        answer = self.chat.answer({"do": do, "conversation": self.conversation, **more}, SAY)
        if "conversation" in answer:
            self.conversation = answer["conversation"]
        return answer

    def done(self) -> dict[str, Any]:
        """What is shown once the newest answer has ended."""
        thread = self.chat.history.thread(self.conversation)  # type: ignore[arg-type]
        list(self.turns.follow(thread[-1].id))
        return self("show")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    from knowledge.pages.documents_page import Documents

    engine: Engine = connect(f"sqlite:///{(tmp_path / 'afina.sqlite3').as_posix()}")
    library = Library.open(tmp_path, engine, lambda: pytest.fail("nothing is embedded here"))
    history, approvals, models = History(engine), Approvals(engine), Models(tmp_path)
    company = Company(Personas(engine), Toolbox(engine), Corrections(engine), approvals, models)
    script, arrivals = Script(approvals), Arrivals(library)
    turns = Turns(history, script)
    yield Page(Chat(history, turns, models, Documents(library, arrivals, tmp_path), company), script, turns)
    approvals.close()
    turns.close()
    arrivals.close()
    library.close()
    engine.dispose()


def test_what_was_chosen_before_the_first_message_holds_from_it_on(page: Page) -> None:
    marv = page.chat.company.personas.all()[0]
    new = {"persona": marv.id, "model": "scripted:x", "settings": {"seed": 7, "stop": ["#"]}}
    empty = page("show", new=new)
    assert page.conversation is None  # looking makes no chat
    assert "Marv" in empty["regions"]["thread"]
    page("send", text="hello", new=new)
    page.done()
    _, conversation = page.script.asked[0]
    assert conversation is not None
    assert (conversation.persona, conversation.model) == (marv.id, "scripted:x")
    assert dict(conversation.settings) == {"seed": 7, "stop": ["#"]}
    assert page("show")["setup"] == new


def test_one_messages_settings_are_that_messages_alone(page: Page) -> None:
    page("send", text="hello", settings={"temperature": 0}, model="scripted:x")
    page.done()
    page("send", text="again")
    page.done()
    (first, _), (second, conversation) = page.script.asked
    assert (first.settings.temperature, first.model) == (0, "scripted:x")
    assert second == Choice()
    assert conversation is not None
    assert not conversation.settings


def test_a_chat_is_set_up_anew_and_back(page: Page) -> None:
    page("send", text="hello")
    page.done()
    assert "Marv</b>" in page("set-up", chosen={"persona": 1})["regions"]["head"]
    assert page("set-up", chosen={})["setup"] == {}
    assert "no persona" in page("set-up", chosen={"persona": 99})["error"].lower()


def test_a_chat_whose_persona_was_removed_is_afinas_and_can_be_set_up(page: Page) -> None:
    page("send", text="hello", new={"persona": 1})
    page.done()
    page.chat.company.personas.remove(1)
    assert page("show")["setup"] == {}
    assert page("set-up", chosen={**page("show")["setup"], "model": "scripted:x"})["setup"] == {"model": "scripted:x"}


@pytest.mark.parametrize(
    "settings", [{"temperature": 3}, {"top_p": 0}, {"max_tokens": 0}, {"stop": ["a"] * 5}, {"x": 1}]
)
def test_settings_that_are_none_are_refused(page: Page, settings: dict[str, Any]) -> None:
    assert "error" in page("send", text="hello", settings=settings)
    assert page.conversation is None


def test_a_correction_goes_to_the_turn_and_its_note_can_be_taken_back(page: Page) -> None:
    page("send", text="12 times 7")
    page.done()
    question, answer = page.chat.history.thread(page.conversation)  # type: ignore[arg-type]
    page("retry", message=answer.id, route="tool", tool="calculator")
    page.done()
    assert page.script.asked[-1][0] == Choice(route="tool", tool="calculator")
    assert "noted" not in page("show")["regions"]["thread"]
    corrections = page.chat.company.corrections
    kept = corrections.add(answer.id, question.text, None, Route.TOOL, "calculator")
    assert f'data-correction="{kept.id}"' in page("show")["regions"]["thread"]
    assert (
        'data-do="forget"' not in page("choose", message=answer.id)["regions"]["thread"]
    )  # the old answer follows none
    page("forget", correction=kept.id)
    assert not corrections.all()


def _waiting(page: Page) -> int:
    page("send", text="look at the web")
    answer = page.chat.history.thread(page.conversation)[-1].id  # type: ignore[arg-type]
    until = time.monotonic() + 5
    while 'data-do="approve"' not in page("show")["regions"]["thread"]:
        assert time.monotonic() < until
        time.sleep(0.02)
    return answer


def test_a_decision_from_any_tab_lets_the_answer_go_on_once(page: Page) -> None:
    answer = _waiting(page)
    other = Page(page.chat, page.script, page.turns)
    other.conversation = page.conversation
    assert "error" not in other("approve", message=answer, call="c1", decision="once")
    assert 'data-do="approve"' not in page.done()["regions"]["thread"]
    assert "Nothing waits" in page("approve", message=answer, call="c1", decision="deny")["error"]


def test_always_is_listed_and_can_be_withdrawn(page: Page) -> None:
    answer = _waiting(page)
    page("approve", message=answer, call="c1", decision="always")
    page.done()
    assert 'data-tool="web_page"' in page("settings")["dialog"]
    assert 'data-tool="web_page"' not in page("withdraw", tool="web_page")["dialog"]
    assert not page.chat.company.approvals.allowed(page.conversation or 0)


def test_a_new_persona_is_seen_by_a_page_that_polls(page: Page) -> None:
    stamp = page("show")["stamp"]
    assert page("show", stamp=stamp) == {}
    page.chat.company.personas.add(Persona(name="Doña Marta", greeting="Hola."))
    changed = page("show", stamp=stamp)
    assert [one["handle"] for one in changed["cast"]] == ["marv", "dona-marta"]


def test_a_picture_is_sent_once_and_not_with_every_drawing(page: Page) -> None:
    picture = b"\x89PNG" * 10_000
    card = Persona(name="Ada", picture="data:image/png;base64," + base64.b64encode(picture).decode())
    ada = page.chat.company.personas.add(card)
    drawn = page("show", new={"persona": ada.id})
    address = drawn["cast"][1]["picture"]
    assert f'<img src="{address}"' in drawn["regions"]["thread"]
    assert len(str(drawn)) < 20_000
    assert page.chat.company.picture(ada.id) == ("image/png", picture)
    emoji = page.chat.company.personas.add(Persona(name="Bo", picture="🙂"))
    assert page.chat.company.picture(emoji.id) is None
    assert page.chat.company.picture(99) is None


def test_the_panel_follows_the_model_that_stands_in_it(page: Page) -> None:
    assert "local:smollm2-135m" in page("settings")["dialog"]
    other = page("settings", chosen={"model": "openai:gpt-4o-mini"})["dialog"]
    assert "openai:gpt-4o-mini" in other
