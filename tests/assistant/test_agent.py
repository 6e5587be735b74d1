"""Laws of the agent: one route, one end, no exception, the question's language, citations that lead somewhere."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.agent import QUESTION_CHARACTERS, Agent, trimmed
from assistant.choice import Choice
from assistant.errors import ForOperator
from assistant.events import TERMINAL, Answered, Event, Failed, PassagesFound, Route, RouteChosen, Stopped, TextDelta
from assistant.history import History
from assistant.models.scripted import Scripted, ScriptedModels, scripted
from assistant.small_talk import is_small_talk
from assistant.turns import Turns
from knowledge import TryAgain, Turn
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect
from tests.pdfs import handbook


@pytest.fixture(scope="module")
def library(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Eight pages of the handbook in English and five in Spanish."""
    home = tmp_path_factory.mktemp("library")
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    for name, language, pages in (("handbook.pdf", "en", 8), ("manual.pdf", "es", 5)):
        assert list(library.add(handbook(home / name, pages=pages, language=language)))[-1].status.searchable
    yield library
    library.close()
    engine.dispose()


@pytest.fixture
def empty(embedder: Embedder, home: Path) -> Iterator[Library]:
    home.mkdir()
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    yield library
    library.close()
    engine.dispose()


def agent(library: Library, *answers: str | Exception, delay: float = 0.0) -> tuple[Agent, Scripted]:
    model = Scripted(answers=list(answers), delay=delay)
    return Agent(library, ScriptedModels(model)), model


def chosen(events: list[Event]) -> RouteChosen:
    first = events[0]
    assert isinstance(first, RouteChosen)
    return first


LINES = [
    ("How many wind turbines does Brenmoor Energy operate?", Route.DOCUMENTS),
    ("¿Cuántos aerogeneradores opera Energía Valdelmar?", Route.DOCUMENTS),
    ("Who founded the company?", Route.DOCUMENTS),
    ("Summarise the document", Route.DOCUMENTS),
    ("¿De qué trata el archivo?", Route.DOCUMENTS),
    ("Hi", Route.CHAT),
    ("Hello Afina, how are you?", Route.CHAT),
    ("¡Hola! ¿Qué tal?", Route.CHAT),
    ("Thank you so much for your help!", Route.CHAT),
    ("Muchas gracias", Route.CHAT),
    ("What can you do?", Route.CHAT),
    ("¿Quién eres?", Route.CHAT),
    ("Write a haiku about autumn", Route.CHAT),
    ("Cuéntame un chiste", Route.CHAT),
]


@pytest.mark.parametrize(("message", "route"), LINES, ids=[message for message, _ in LINES])
def test_what_documents_may_hold_goes_to_them_and_small_talk_does_not(
    library: Library, message: str, route: Route
) -> None:
    events = list(agent(library, "Well.")[0].run(message))
    assert chosen(events).route is route
    assert 0.0 < chosen(events).confidence <= 1.0
    assert chosen(events).reason.endswith(".")


FACTS = [
    "Who founded Brenmoor Textiles?",
    "¿Quién fundó Textiles Brenmoor?",
    "When was the Treaty of Oranmore signed?",
    "How many employees does Lumen Labs have?",
    "Can you tell me who founded Brenmoor Textiles?",
    "Hello, in which year did Acme go public?",
    "¿En qué año se fundó Brenmoor?",
    "Is Brenmoor Textiles profitable?",
    "Tell me about Brenmoor Textiles",
]
GENERAL = [
    "How do I write a for loop in Python?",
    "How do you say hello in French?",
    "¿Cómo se dice perro en inglés?",
    "What is 2 + 2?",
    "What should I wear tonight?",
    "What rhymes with orange?",
    "How can I write a poem about rain?",
    "Could you help me write an email to my boss?",
    "I feel sad today",
    "Make a list of animals",
]


@pytest.fixture
def garden(empty: Library, tmp_path: Path) -> Library:
    """Holds nothing of what is asked."""
    (tmp_path / "garden.md").write_text("# Tomatoes\n\nThey want six hours of sun. Water them in the morning.")
    assert list(empty.add(tmp_path / "garden.md"))[-1].status.searchable
    return empty


@pytest.mark.parametrize(
    ("message", "route"), [*((line, Route.DOCUMENTS) for line in FACTS), *((line, Route.CHAT) for line in GENERAL)]
)
def test_a_question_of_fact_asks_the_documents_even_where_they_do_not_hold_it(
    garden: Library, message: str, route: Route
) -> None:
    """A small model invents who founded what; the documents say that they do not know."""
    assert chosen(list(agent(garden, "Well.")[0].run(message))).route is route


@pytest.mark.parametrize(
    "message",
    [
        "Hi, who founded it?",
        "Thanks, and in 2018?",
        "help with the invoice",
        "Hola, ¿quién lo dirige?",
        "why?",
        "What?",
    ],
)
def test_a_greeting_before_a_question_is_no_small_talk(message: str) -> None:
    assert not is_small_talk(message)


def test_a_conversation_with_documents_asks_them_even_what_seems_far(library: Library) -> None:
    document = library.documents()[0].id
    events = list(agent(library, "No.")[0].run("Where is the moon?", documents=[document]))
    assert chosen(events).route is Route.DOCUMENTS
    found = next(event for event in events if isinstance(event, PassagesFound))
    assert {passage.document for passage in found.passages} <= {document}


def test_a_follow_up_to_a_cited_answer_asks_the_documents_too(library: Library) -> None:
    before = [Turn("user", "How many turbines?"), Turn("assistant", "There are 212 [1].")]
    assert chosen(list(agent(library, "x")[0].run("and later?", history=before))).route is Route.DOCUMENTS


def test_without_documents_it_says_so_in_the_persons_language(empty: Library) -> None:
    english = chosen(list(agent(empty, "Paris.")[0].run("What is the capital of France?")))
    spanish = chosen(list(agent(empty, "París.")[0].run("¿Cuál es la capital de Francia?")))
    assert (english.route, spanish.route) == (Route.CHAT, Route.CHAT)
    assert "no documents yet" in english.reason
    assert "Todavía no hay documentos" in spanish.reason
    last = list(agent(empty, "x")[0].run("What is the capital of France?", choice=Choice(route="documents")))[-1]
    assert isinstance(last, Failed)
    assert "add one" in last.message


def test_a_route_that_was_asked_for_is_taken(library: Library) -> None:
    assert chosen(list(agent(library, "x")[0].run("Hi", choice=Choice(route="documents")))).route is Route.DOCUMENTS
    assert (
        chosen(list(agent(library, "x")[0].run("How many turbines?", choice=Choice(route="chat")))).route is Route.CHAT
    )
    last = list(agent(library, "x")[0].run("Hi", choice=Choice(route="elsewhere")))[-1]
    assert isinstance(last, Failed)
    assert "documents, tool, persona, chat" in last.message


def test_the_answer_is_asked_for_in_the_language_of_the_question_else_of_the_page(empty: Library) -> None:
    for question, page, words in (
        ("¿Cuál es la capital de Francia?", "en", "en español"),
        ("What is the capital of France?", "es", "in English"),
        ("2 + 2 =", "es", "en español"),
    ):
        asked, model = agent(empty, "x")
        list(asked.run(question, language=page))
        assert words in str(model.prompts[0][0].content)


def test_the_newest_messages_that_fit_are_kept_and_begin_with_a_question() -> None:
    history = [Turn(role, f"{n}" * 10) for n in range(5) for role in ("user", "assistant")]
    kept = trimmed(history, 55)
    assert kept == history[-4:]
    assert trimmed(history, 10**6) == history
    assert trimmed([Turn("user", "q"), Turn("assistant", "212 [1].")], 100)[-1].text == "212."


def test_the_model_sees_instruction_history_and_question_in_order(empty: Library) -> None:
    asked, model = agent(empty, "x")
    list(asked.run("And you?", history=[Turn("user", "Hi"), Turn("assistant", "Hello.")]))
    assert [(m.type, m.content) for m in model.prompts[0]][1:] == [
        ("human", "Hi"),
        ("ai", "Hello."),
        ("human", "And you?"),
    ]


def test_every_number_in_an_answer_has_exactly_one_citation(library: Library) -> None:
    for text in ("There are 212 wind turbines [1] and [9] more [44].", "Nothing [1][2][3].", "No numbers at all."):
        last = list(agent(library, text)[0].run("How many wind turbines does Brenmoor Energy operate?"))[-1]
        assert isinstance(last, Answered)
        numbers = [citation.n for citation in last.citations]
        assert sorted(set(numbers)) == sorted(numbers)
        assert {int(n) for n in re.findall(r"\[(\d+)\]", last.text)} == set(numbers)


def test_plain_talk_cites_nothing_but_leaves_code_alone(empty: Library) -> None:
    last = list(agent(empty, "See [1]: `row[1]`")[0].run("How do I index?"))[-1]
    assert isinstance(last, Answered)
    assert last.text == "See: `row[1]`"
    assert last.citations == ()


def test_the_draft_streams_before_the_answer_and_nothing_comes_after_it(library: Library) -> None:
    for question, route in (("Thanks!", Route.CHAT), ("How many wind turbines are there?", Route.DOCUMENTS)):
        events = list(agent(library, "There are 212 wind turbines [1].")[0].run(question))
        assert chosen(events).route is route
        assert any(isinstance(event, TextDelta) for event in events)
        assert [isinstance(event, TERMINAL) for event in events] == [False] * (len(events) - 1) + [True]


@pytest.mark.parametrize("route", ["chat", "documents"])
def test_stop_ends_with_the_text_so_far(library: Library, route: str) -> None:
    asked, _ = agent(library, " ".join(f"word{number}" for number in range(200)), delay=0.05)
    stop = threading.Event()
    threading.Timer(0.6, stop.set).start()
    begun = time.monotonic()
    events = list(asked.run("How many wind turbines are there?", choice=Choice(route), stop=stop))
    assert time.monotonic() - begun < 1.6
    assert events[-1] == Stopped("".join(event.text for event in events if isinstance(event, TextDelta)))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ForOperator("The weights are missing: run `afina models fetch`."), "afina models fetch"),
        (TryAgain("The model is loading."), "model is loading"),
        (MemoryError(), "memory"),
        (ZeroDivisionError("secret path /home/me"), "went wrong"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_whatever_the_model_raises_becomes_one_sentence(
    empty: Library, error: Exception, words: str, language: str
) -> None:
    question = "What is the time?" if language == "en" else "¿Qué hora es?"
    last = list(agent(empty, error)[0].run(question))[-1]
    assert isinstance(last, Failed)
    assert "secret" not in last.message
    if language == "en":
        assert words in last.message


def test_a_message_longer_than_the_model_reads_is_refused_by_name(empty: Library) -> None:
    last = list(agent(empty, "x")[0].run("a " * QUESTION_CHARACTERS))[-1]
    assert isinstance(last, Failed)
    assert "24,000" in last.message


def test_another_attempt_is_asked_for_at_another_temperature(library: Library) -> None:
    """At the same one a retry would bring the same answer again."""
    asked, model = agent(library, "There are 212 wind turbines.")
    for route in ("chat", "documents"):
        for attempt in (0, 1):
            list(asked.run("How many wind turbines does Brenmoor operate?", choice=Choice(route), attempt=attempt))
    assert [settings["temperature"] for settings in model.settings] == [0.0, 0.7, 0.0, 0.7]


def test_a_model_stronger_than_the_default_one_reads_more_passages(library: Library) -> None:
    lengths = []
    for name in ("local:smollm2-135m", "openai:some-model"):
        model = Scripted(answers=["x"])
        list(
            Agent(library, ScriptedModels(model), name).run(
                "How many wind turbines are there?", choice=Choice(route="documents")
            )
        )
        lengths.append(len(str(model.prompts[0][-1].content)))
    assert lengths[1] > 1.5 * lengths[0]


def test_a_scripted_model_can_be_named(empty: Library) -> None:
    assert scripted("0.5|Hello.").delay == 0.5
    assert scripted("a|b").answers == ["a|b"]


@pytest.mark.model
@pytest.mark.slow
def test_the_real_model_answers_from_the_handbook_with_a_checked_citation(
    library: Library, weights: Path, tmp_path: Path
) -> None:
    from assistant.models import Models

    engine = connect(f"sqlite:///{tmp_path / 'chats.sqlite3'}")
    history = History(engine)
    turns = Turns(history, Agent(library, Models(weights)))
    answer = turns.start(history.create().id, "How many wind turbines does Brenmoor Energy operate?", None)
    assert isinstance(list(turns.follow(answer))[-1], Answered)
    stored = history.message(answer)
    turns.close()
    engine.dispose()
    assert "212" in stored.text
    assert any(citation.verified and citation.page == 7 for citation in stored.citations)
    assert stored.model == "local:smollm2-135m"


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("Hi!", "Hello"),
        ("What can you do?", "Afina"),
        ("Hola, ¿qué puedes hacer?", "Afina"),
        ("¡Buenas tardes!", "Hola"),
        ("Hola", "¡Hola!"),
    ],
)
def test_the_assistant_speaks_of_itself_in_its_own_words(library: Library, message: str, word: str) -> None:
    """A small model would invent what it can do."""
    last = list(agent(library, "I can fly.")[0].run(message))[-1]
    assert isinstance(last, Answered)
    assert word in last.text
    assert "fly" not in last.text
