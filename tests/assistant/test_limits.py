"""Laws of the limits: a looping model stops at the cap, what was done is kept, one sentence says which limit it was."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from assistant.agent import Agent, Limits
from assistant.agent.limits import LimitReached, Meter
from assistant.choice import Choice
from assistant.events import Event, Failed, TextDelta, ToolFinished
from assistant.models.catalogue import Capabilities, Price
from assistant.models.scripted import Scripted, ScriptedModels, ToolCalls
from assistant.service.settings import Settings
from assistant.tools.toolbox import Toolbox
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect

LOOP = ToolCalls(("calculator", {"expression": "1+1"}), text="Again. ")


class Priced(ScriptedModels):
    def __init__(self, model: Scripted, price: Price | None = None) -> None:
        super().__init__(model)
        self.price = price

    def capabilities(self, name: str = "", language: str = "en") -> Capabilities:
        return Capabilities(tools=True, price=self.price)


@pytest.fixture(scope="module")
def world(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, Engine]]:
    home = tmp_path_factory.mktemp("limits")
    engine = connect(f"sqlite:///{home / 'afina.sqlite3'}")
    library = Library.open(home, engine, lambda: embedder)
    yield library, engine
    library.close()
    engine.dispose()


def run(
    world: tuple[Library, Engine],
    *answers: Any,
    limits: Limits | None = None,
    price: Price | None = None,
    **options: Any,
) -> tuple[list[Event], Scripted]:
    model = Scripted(answers=list(answers), **options)
    agent = Agent(world[0], Priced(model, price), toolbox=Toolbox(world[1]), limits=limits)
    return list(agent.run("Count for ever")), model


def test_a_looping_model_stops_at_the_cap_a_hundred_times_of_a_hundred(world: tuple[Library, Engine]) -> None:
    agent_model = Scripted(answers=[LOOP])
    agent = Agent(world[0], Priced(agent_model), toolbox=Toolbox(world[1]))
    for turn in range(100):
        events = list(agent.run("Count for ever"))
        assert len(agent_model.prompts) == 15 * (turn + 1)
        assert isinstance(events[-1], Failed)
        assert "15 times" in events[-1].message
        assert "AFINA_MODEL_CALLS" in events[-1].message
        assert sum(isinstance(event, ToolFinished) and event.ok for event in events) == 15
        assert any(isinstance(event, TextDelta) for event in events)


def test_a_model_that_goes_on_calling_after_it_was_told_to_answer_is_stopped(world: tuple[Library, Engine]) -> None:
    many = ToolCalls(*[("calculator", {"expression": "1+1"})] * 20)
    events, model = run(world, many)
    assert len(model.prompts) == 3
    assert sum(isinstance(event, ToolFinished) and event.ok for event in events) == 25
    assert isinstance(events[-1], Failed)
    assert "AFINA_TOOL_CALLS" in events[-1].message


def test_the_time_is_up_in_the_middle_of_a_models_words(world: tuple[Library, Engine]) -> None:
    begun = time.monotonic()
    events, _ = run(world, " ".join(["word"] * 500), limits=Limits(seconds=0.5), delay=0.02)
    assert time.monotonic() - begun < 3
    assert isinstance(events[-1], Failed)
    assert "AFINA_TURN_SECONDS" in events[-1].message
    assert any(isinstance(event, TextDelta) for event in events)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_time_is_up_for_a_model_that_calls_no_tools_too(world: tuple[Library, Engine], language: str) -> None:
    model = Scripted(answers=[" ".join(f"word{n}" for n in range(500))], delay=0.02)
    agent = Agent(world[0], ScriptedModels(model), toolbox=Toolbox(world[1]), limits=Limits(seconds=0.5))
    question = {"en": "Write a long story about the sea", "es": "Escribe una historia larga sobre el mar"}[language]
    events = list(agent.run(question, choice=Choice(route="chat"), language=language))
    assert isinstance(events[-1], Failed)
    assert {"en": "longer than 0.5 seconds", "es": "más de 0.5 segundos"}[language] in events[-1].message
    assert 3 < sum(isinstance(event, TextDelta) for event in events) < 100  # what was written is kept


def test_money_ends_a_turn_where_the_price_is_known(world: tuple[Library, Engine]) -> None:
    events, model = run(world, LOOP, limits=Limits(dollars=0.001), price=Price(10.0, 30.0))
    assert 1 <= len(model.prompts) < 15
    assert isinstance(events[-1], Failed)
    assert "AFINA_TURN_DOLLARS" in events[-1].message


def test_what_a_person_takes_to_approve_is_not_counted() -> None:
    meter = Meter(Limits(seconds=0.3))

    def wait(seconds: float) -> None:
        with meter.waiting():
            time.sleep(seconds)

    threads = [threading.Thread(target=wait, args=(seconds,)) for seconds in (0.3, 0.5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.check_time()
    assert meter.seconds < 0.2
    time.sleep(0.4)
    with pytest.raises(LimitReached):
        meter.check_time()


def test_the_limits_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(_env_file=None).limits == Limits()
    monkeypatch.setenv("AFINA_MODEL_CALLS", "3")
    monkeypatch.setenv("AFINA_TURN_DOLLARS", "0.1")
    assert Settings(_env_file=None).limits == Limits(model_calls=3, dollars=0.1)
    monkeypatch.setenv("AFINA_MODEL_CALLS", "0")
    with pytest.raises(ValidationError):
        Settings(_env_file=None)
