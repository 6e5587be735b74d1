"""Laws of the model that calls tools: its steps as they happen, nothing kills a turn, every [n] leads somewhere."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from assistant.agent import Agent, Limits
from assistant.agent.approvals import Approvals
from assistant.choice import Choice
from assistant.events import (
    TERMINAL,
    Answered,
    Event,
    Failed,
    PassagesFound,
    Route,
    RouteChosen,
    Stopped,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from assistant.models import Models
from assistant.models.catalogue import Capabilities, Price
from assistant.models.scripted import Scripted, ScriptedModels, ToolCalls
from assistant.personas import Persona, Personas
from assistant.service.parts import Parts
from assistant.service.serving import prepare
from assistant.service.settings import Settings
from assistant.tools import Arguments, Result, Tool, Work
from assistant.tools.toolbox import Toolbox
from knowledge import Basis, Turn
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect
from tests.completions import Call, Completions
from tests.pdfs import handbook

SUM = ToolCalls(("calculator", {"expression": "12*3"}))
SEARCH = ToolCalls(("search_documents", {"query": "How many wind turbines does Brenmoor Energy operate?"}))


@dataclass
class Tools:
    """A toolbox with further tools."""

    toolbox: Toolbox
    further: list[Tool] = field(default_factory=list)

    def tools(self, language: str = "en") -> list[Tool]:
        return [*self.toolbox.tools(language), *self.further]

    def get(self, name: str) -> Tool:
        return next((tool for tool in self.further if tool.name == name), None) or self.toolbox.get(name)


class Nothing(Arguments):
    pass


def tool(name: str, run: Callable[[Any, Work], Result], **options: Any) -> Tool:
    return Tool(name, {"en": name, "es": name}, f"Does {name}.", Nothing, run, **options)


@pytest.fixture(scope="module")
def world(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, Engine]]:
    home = tmp_path_factory.mktemp("calling")
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    assert list(library.add(handbook(home / "handbook.pdf", pages=8)))[-1].status.searchable
    yield library, engine
    library.close()
    engine.dispose()


Made = tuple[Agent, Scripted, Tools]


@pytest.fixture
def made(world: tuple[Library, Engine]) -> Callable[..., Made]:
    library, engine = world

    def make(*answers: Any, delay: float = 0.0, further: tuple[Tool, ...] = (), limits: Limits | None = None) -> Made:
        model = Scripted(answers=list(answers), delay=delay)
        if not model.calls_tools:
            model.answers.append(SUM)  # it can, and does not
        tools = Tools(Toolbox(engine), list(further))
        agent = Agent(
            library,
            ScriptedModels(model),
            toolbox=tools,  # type: ignore[arg-type]
            approvals=Approvals(engine),
            personas=Personas(engine),
            limits=limits,
        )
        return agent, model, tools

    return make


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events if not isinstance(event, TextDelta)]


def answered(events: list[Event]) -> Answered:
    assert isinstance(events[-1], Answered), events[-1]
    return events[-1]


def test_a_call_is_shown_as_it_happens_then_the_models_words(made: Callable[..., Made]) -> None:
    agent, model, _ = made(SUM, "It is 36.")
    events = list(agent.run("What is 12 times 3?"))
    assert kinds(events) == ["RouteChosen", "ToolStarted", "ToolFinished", "Answered"]
    chosen, started, finished = events[0], events[1], events[2]
    assert isinstance(chosen, RouteChosen)
    assert (chosen.route, chosen.tool, chosen.arguments) == (Route.TOOL, "calculator", {"expression": "12*3"})
    assert isinstance(started, ToolStarted)
    assert isinstance(finished, ToolFinished)
    assert started.call == finished.call
    assert finished.ok
    assert "36" in finished.result
    assert answered(events).text == "It is 36."
    assert "36" in str(model.prompts[1][-1].content)


def test_text_alone_is_talk_and_its_first_token_waits_for_nothing(made: Callable[..., Made]) -> None:
    agent, model, _ = made("Hello you.")
    events = list(agent.run("Tell me something", history=[Turn("user", "Hi"), Turn("assistant", "Hello.")]))
    assert kinds(events) == ["RouteChosen", "Answered"]
    assert isinstance(events[0], RouteChosen)
    assert events[0].route is Route.CHAT
    assert [m.type for m in model.prompts[0]] == ["system", "human", "ai", "human"]
    assert "<data>" in str(model.prompts[0][0].content)


def test_what_was_said_before_a_call_is_shown_and_the_last_text_is_the_answer(made: Callable[..., Made]) -> None:
    agent, _, _ = made(ToolCalls(("calculator", {"expression": "12*3"}), text="Let me see."), "It is 36.")
    events = list(agent.run("What is 12 times 3?"))
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Let me see.\n\nIt is 36."
    assert answered(events).text == "It is 36."
    assert [e.route for e in events if isinstance(e, RouteChosen)] == [Route.CHAT, Route.TOOL]


def test_passages_are_cited_checked_and_numbered(made: Callable[..., Made]) -> None:
    agent, model, _ = made(
        SEARCH, "Brenmoor Energy operates 212 wind turbines [1]. It owns the moon [2]. See [77] and `row[5]`."
    )
    events = list(agent.run("How many wind turbines does Brenmoor Energy operate?"))
    assert isinstance(events[0], RouteChosen)
    assert events[0].route is Route.DOCUMENTS
    assert any(isinstance(event, PassagesFound) for event in events)
    last = answered(events)
    assert last.basis is Basis.MODEL
    assert "77" not in last.text
    assert "`row[5]`" in last.text
    true = next(citation for citation in last.citations if "212" in citation.quote)
    assert true.verified
    assert re.search(rf"212 wind turbines \[{true.n}\]", last.text)
    moon = re.search(r"moon \[(\d+)\]", last.text)
    assert moon
    assert not next(citation for citation in last.citations if citation.n == int(moon[1])).verified
    assert "<data from=" in str(model.prompts[1][-1].content)


def test_passages_of_two_searches_are_numbered_on(made: Callable[..., Made]) -> None:
    more = ToolCalls(("search_documents", {"query": "Who leads the company?"}))
    agent, model, _ = made(SEARCH, more, "Well.")
    events = list(agent.run("Tell me of Brenmoor"))
    found = [event.passages for event in events if isinstance(event, PassagesFound)]
    assert found[-1][: len(found[0])] == found[0]
    read = "\n".join(str(message.content) for message in model.prompts[2] if message.type == "tool")
    for n, passage in enumerate(found[-1], 1):
        assert f"[{n}] {passage.title}, p. {passage.page}" in read


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        (ToolCalls(("calculator", {"wrong": 1})), "expression"),
        (ToolCalls(("calculator", "{not json")), "JSON"),
        (ToolCalls(("moon_phase", {})), "There is no tool"),
        (ToolCalls(("calculator", {"expression": "9**9**9"})), ""),
        (ToolCalls(("explode", {})), "failed"),
    ],
    ids=["arguments", "no json", "unknown", "too big", "exception"],
)
def test_whatever_a_call_is_it_becomes_a_sentence_and_the_turn_goes_on(
    made: Callable[..., Made], calls: ToolCalls, words: str
) -> None:
    def explode(given: Any, work: Work) -> Result:
        raise ZeroDivisionError("secret")

    agent, model, _ = made(calls, "I could not do that.", further=(tool("explode", explode),))
    events = list(agent.run("Do it"))
    finished = next(event for event in events if isinstance(event, ToolFinished))
    assert not finished.ok
    assert words in finished.result
    assert "secret" not in finished.result
    assert answered(events).text == "I could not do that."
    assert finished.result in str(model.prompts[1][-1].content)


def test_fifty_calls_at_once_run_a_few_at_a_time_up_to_the_cap(made: Callable[..., Made]) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(given: Any, lent: Work) -> Result:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return Result("done")

    agent, _, _ = made(ToolCalls(*[("work", {})] * 50), "Fine.", further=(tool("work", work),))
    events = list(agent.run("Work"))
    finished = [event for event in events if isinstance(event, ToolFinished)]
    assert len(finished) == 50
    assert len({event.call for event in finished}) == 50
    assert sum(event.ok for event in finished) == Limits().tool_calls
    assert 1 < most <= 4
    assert answered(events).text == "Fine."


@pytest.mark.parametrize("where", ["model", "tool"])
def test_a_stop_ends_the_turn_within_a_second_and_keeps_the_text(made: Callable[..., Made], where: str) -> None:
    left = threading.Event()

    def sleep(given: Any, work: Work) -> Result:
        work.stop.wait(20)
        left.set()
        return Result("slept")

    talk = " ".join(f"word{n}" for n in range(400))
    first: Any = talk if where == "model" else ToolCalls(("sleep", {}), text="Wait.")
    agent, _, _ = made(first, "End.", delay=0.02, further=(tool("sleep", sleep),))
    stop = threading.Event()
    threading.Timer(0.4, stop.set).start()
    events = list(agent.run("Go", stop=stop))
    assert stop.is_set()
    assert isinstance(events[-1], Stopped)
    assert events[-1].text == "".join(event.text for event in events if isinstance(event, TextDelta)) != ""
    if where == "tool":
        assert left.wait(2)


def test_a_model_that_fails_half_way_fails_the_turn_alone(made: Callable[..., Made]) -> None:
    agent, model, _ = made(SUM, RuntimeError("secret"), "Fine again.")
    failed = list(agent.run("What is 12*3?"))[-1]
    assert isinstance(failed, Failed)
    assert "secret" not in failed.message
    assert answered(list(agent.run("And now?"))).text == "Fine again."
    assert len(model.prompts) == 3


def test_a_persona_is_asked_inside_a_call(made: Callable[..., Made], world: tuple[Library, Engine]) -> None:
    personas = Personas(world[1])
    if personas.named("Facta") is None:
        personas.add(Persona(name="Facta", voice="You are Facta.", facts=True))
    question = "How many wind turbines does Brenmoor Energy operate?"
    agent, _, _ = made(
        ToolCalls(("ask_persona", {"name": "Facta", "question": question})),
        "Brenmoor Energy operates 212 wind turbines.",
        "Brenmoor Energy operates 212 wind turbines [1].",
        "Brenmoor Energy operates 212 wind turbines [1].",
    )
    events = list(agent.run("Ask Facta about turbines"))
    outer, inner = [event for event in events if isinstance(event, ToolStarted)]
    assert (outer.tool, inner.tool, inner.parent) == ("ask_persona", "search_documents", outer.call)
    assert all(event.ok for event in events if isinstance(event, ToolFinished))
    assert any(citation.verified for citation in answered(events).citations)


def test_a_persona_whose_search_finds_nothing_has_not_failed(
    made: Callable[..., Made], world: tuple[Library, Engine]
) -> None:
    personas = Personas(world[1])
    if personas.named("Facta") is None:
        personas.add(Persona(name="Facta", voice="You are Facta.", facts=True))
    asking = ToolCalls(("ask_persona", {"name": "Facta", "question": "Who composed the opera Rusalka?"}))
    agent, _, _ = made(asking, "Facta does not know.", "Facta does not know.", "Facta does not know.")
    finished = [event for event in agent.run("Ask Facta about operas") if isinstance(event, ToolFinished)]
    assert len(finished) == 2
    assert all(event.ok for event in finished)
    assert finished[0].result  # it says that the documents do not hold it


def test_a_persona_calls_only_the_tools_it_is_allowed(made: Callable[..., Made], world: tuple[Library, Engine]) -> None:
    personas = Personas(world[1])
    if personas.named("Narrow") is None:
        personas.add(Persona(name="Narrow", voice="You are Narrow.", tools=("clock",)))
    agent, model, _ = made(SUM, "No.")
    events = list(agent.run("@Narrow what is 12*3?"))
    assert [call["function"]["name"] for call in model.settings[0]["tools"]] == ["clock"]
    assert not next(event for event in events if isinstance(event, ToolFinished)).ok
    assert "You are Narrow." in str(model.prompts[0][0].content)
    assert isinstance(events[0], RouteChosen)
    assert events[0].persona == "Narrow"


def test_a_way_that_was_asked_for_is_taken_by_a_model_with_tools_too(made: Callable[..., Made]) -> None:
    agent, model, _ = made("Just words.")
    events = list(agent.run("How many turbines?", choice=Choice(route="chat")))
    assert kinds(events) == ["RouteChosen", "Answered"]
    assert "tools" not in model.settings[0]
    asked = Choice(route="tool", tool="calculator", arguments={"expression": "2^10"})
    assert (
        "1,024" in answered(list(agent.run("Hm", choice=asked))).text
        or "1024" in answered(list(agent.run("Hm", choice=asked))).text
    )


class _Served:
    """A real model on a loopback server, known to call tools."""

    def __init__(self, server: Completions) -> None:
        self.default = f"{server.url}/v1#some-model"
        self._model = Models(Path()).get(self.default)

    def get(self, name: str = "") -> Any:
        return self._model

    def capabilities(self, name: str = "", language: str = "en") -> Capabilities:
        return Capabilities(tools=True, context=32_000, price=Price(1.0, 1.0))


def test_the_same_through_a_real_server(world: tuple[Library, Engine]) -> None:
    library, engine = world
    server = Completions()
    server.script = [["One ", "moment."], [Call("calculator", '{"expression": "12*3"}')], ["It ", "is ", "36."]]
    server.script = server.script[1:]
    agent = Agent(library, _Served(server), toolbox=Toolbox(engine), approvals=Approvals(engine))
    events = list(agent.run("What is 12 times 3?"))
    assert kinds(events) == ["RouteChosen", "ToolStarted", "ToolFinished", "Answered"]
    last = answered(events)
    assert last.text == "It is 36."
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (22, 8)
    sent = server.requests[1][1]["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool"]
    server.shutdown()
    server.server_close()


def test_a_server_that_breaks_in_the_middle_keeps_the_text_and_the_next_turn_works(
    world: tuple[Library, Engine],
) -> None:
    library, engine = world
    server = Completions()
    server.cut_after = 2
    agent = Agent(library, _Served(server), toolbox=Toolbox(engine))
    events = list(agent.run("Where is Paris?"))
    assert "".join(event.text for event in events if isinstance(event, TextDelta)).startswith("Paris is")
    assert isinstance(events[-1], Failed)
    server.cut_after = None
    assert answered(list(agent.run("Where is Paris?"))).text == "Paris is the capital."
    assert sum(isinstance(event, TERMINAL) for event in events) == 1
    server.shutdown()
    server.server_close()


def test_the_app_prepares_what_drives_a_tool_calling_model(tmp_path: Path, weights: Path, embedder: Embedder) -> None:
    parts = Parts(Settings(home=tmp_path, weights=weights, model="openai:gpt-5-mini"))
    parts.adopt("embedder", embedder)
    try:
        assert parts.models.capabilities().tools
        prepare(parts)
        assert parts.agent._driver is not None
    finally:
        parts.close()
