"""Laws of a persona over facts: the documents are searched first, the citations hold, its collection is its world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from assistant.agent import Agent
from assistant.choice import Choice
from assistant.events import Answered, Event, PassagesFound, Route, RouteChosen
from assistant.models.scripted import Scripted, ScriptedModels
from assistant.personas import Persona, Personas
from assistant.personas.card import Source
from assistant.routing.router import Router
from assistant.tools import Toolbox
from knowledge import Basis
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect
from tests.pdfs import handbook

TURBINES = "How many wind turbines does Brenmoor Energy operate?"
FACT = "Brenmoor Energy operates 212 wind turbines"


@pytest.fixture(scope="module")
def world(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, Engine]]:
    home = tmp_path_factory.mktemp("world")
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    for name, language in (("handbook.pdf", "en"), ("manual.pdf", "es")):
        assert list(library.add(handbook(home / name, pages=8, language=language)))[-1].status.searchable
    yield library, engine
    library.close()
    engine.dispose()


def asked(world: tuple[Library, Engine], question: str, *answers: str, choice: Choice | None = None) -> list[Event]:
    library, engine = world
    agent = Agent(library, ScriptedModels(Scripted(answers=list(answers))), personas=Personas(engine))
    return list(agent.run(question, choice=choice or Choice()))


def answered(events: list[Event]) -> Answered:
    last = events[-1]
    assert isinstance(last, Answered)
    return last


def routes(events: list[Event]) -> list[Route]:
    return [event.route for event in events if isinstance(event, RouteChosen)]


def test_marv_says_what_the_documents_say_with_their_citations(world: tuple[Library, Engine]) -> None:
    events = asked(world, f"@Marv {TURBINES}", f"{FACT} [1].", f"Oh, wow. {FACT} [1].")
    answer = answered(events)
    assert routes(events) == [Route.DOCUMENTS]
    assert [event.persona for event in events if isinstance(event, RouteChosen)] == ["Marv"]
    assert answer.citations
    assert all(citation.verified for citation in answer.citations)
    assert "212" in answer.text
    assert answer.text.startswith("Oh, wow.")


@pytest.mark.parametrize("voice", ["Who cares.", "There are 999 turbines, obviously [1].", "", "[7] [8]"])
def test_a_voice_that_loses_the_facts_does_not_lose_them_for_the_person(
    world: tuple[Library, Engine], voice: str
) -> None:
    answer = answered(asked(world, f"@Marv {TURBINES}", f"{FACT} [1].", voice))
    assert "212" in answer.text
    assert "999" not in answer.text
    assert [citation.n for citation in answer.citations] == [1]
    assert answer.citations[0].verified


def test_what_the_documents_do_not_hold_a_persona_answers_itself_and_says_so(world: tuple[Library, Engine]) -> None:
    events = asked(world, "@Marv Who founded Zorblatt Industries?", "No idea.", "Ask someone who cares.")
    answer = answered(events)
    assert routes(events)[-1] is Route.PERSONA
    assert not answer.citations
    assert answer.basis is None
    assert [event.passages for event in events if isinstance(event, PassagesFound)][-1] == ()


def test_who_asked_for_the_documents_hears_that_they_hold_nothing(world: tuple[Library, Engine]) -> None:
    wanted = Choice(route="documents", persona="Marv")
    events = asked(world, "Who founded Zorblatt Industries?", "No idea.", choice=wanted)
    assert routes(events) == [Route.DOCUMENTS]
    assert answered(events).basis is Basis.NOTHING


def test_a_collection_is_all_that_a_persona_knows(world: tuple[Library, Engine]) -> None:
    library, engine = world
    spanish = next(document for document in library.documents() if document.title == "manual.pdf")
    personas = Personas(engine)
    if personas.named("Manual") is None:
        own = (Source(sha256=spanish.sha256, title=spanish.title),)
        personas.add(Persona(name="Manual", voice="You are Manual.", facts=True, collection=own))
    events = asked(world, f"@Manual {TURBINES}", f"{FACT} [1].", "Nothing.")
    found = [passage.document for event in events if isinstance(event, PassagesFound) for passage in event.passages]
    assert set(found) <= {spanish.id}
    assert all(citation.document == spanish.id for citation in answered(events).citations)


@pytest.mark.parametrize(
    ("message", "route"),
    [
        (f"Ask Marv {TURBINES[0].lower()}{TURBINES[1:]}", Route.DOCUMENTS),
        ("Ask Marv what is 12 times 3", Route.TOOL),
        ("pregúntale a Marv qué hora es en Tokio", Route.TOOL),
        ("Marv, tell me a joke", Route.PERSONA),
    ],
)
def test_whoever_asks_marv_gets_what_marv_can_do(
    world: tuple[Library, Engine], embedder: Embedder, message: str, route: Route
) -> None:
    library, engine = world
    personas = Personas(engine)
    router = Router(library, lambda: embedder, personas=lambda: [one.persona for one in personas.all()])
    model = Scripted(answers=[f"{FACT} [1]."])
    agent = Agent(library, ScriptedModels(model), router=router, personas=personas, toolbox=Toolbox(engine))
    events = list(agent.run(message))
    assert routes(events)[-1] is route
    assert {event.persona for event in events if isinstance(event, RouteChosen)} == {"Marv"}
    assert answered(events).text
