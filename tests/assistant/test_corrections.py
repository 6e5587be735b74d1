"""Laws of corrections: used from the next message on, forgotten when asked, never leaking to what is something else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import ForPerson
from assistant.events import Route
from assistant.routing.corrections import Corrections, UnknownCorrection
from assistant.routing.router import Router
from assistant.routing_verbs import route_corrections
from knowledge.embedders import Embedder
from tests.topics import read, router

pytestmark = pytest.mark.model


@pytest.fixture
def made(embedder: Embedder, tmp_path: Path) -> Iterator[Router]:
    with router(tmp_path / "home", embedder, empty=True) as made:
        yield made


def _kept(made: Router) -> Corrections:
    assert made._corrections is not None
    return made._corrections


def test_a_correction_holds_from_the_next_message_on_and_says_so(made: Router) -> None:
    was = made.choose("Tell me about the weather in novels")
    _kept(made).add(None, "Tell me about the weather in novels", was, Route.DOCUMENTS)
    chosen = made.choose("tell me about the weather in novels?")
    assert chosen.route is Route.DOCUMENTS
    assert "You corrected this before" in chosen.reason
    assert "ya lo corregiste" in made.choose("Tell me about the weather in novels", language="es").reason
    assert _kept(made).all()[0].was["route"] == was.route.value


def test_what_is_much_alike_takes_the_corrected_route_too(made: Router) -> None:
    _kept(made).add(None, "How do I prune the old apple trees in the garden?", None, Route.DOCUMENTS)
    chosen = made.choose("how do i prune old apple trees in the garden")
    assert chosen.route is Route.DOCUMENTS
    assert "You corrected" in chosen.reason


def test_the_latest_of_two_that_contradict_wins_and_forgetting_it_brings_back_the_other(made: Router) -> None:
    kept = _kept(made)
    kept.add(None, "what is 2 + 2", None, Route.CHAT)
    last = kept.add(None, "What is 2 + 2?", None, Route.DOCUMENTS)
    assert made.choose("what is 2 + 2").route is Route.DOCUMENTS
    kept.forget(last.id)
    assert made.choose("what is 2 + 2").route is Route.CHAT
    assert list(route_corrections(kept, forget=[kept.all()[0].id])) == []
    assert made.choose("what is 2 + 2").tool == "calculator"
    with pytest.raises(UnknownCorrection):
        kept.forget(last.id)


def test_a_tool_and_a_persona_are_kept_with_it_and_one_that_is_gone_is_not_gone_to(made: Router) -> None:
    kept = _kept(made)
    kept.add(None, "twelve eggs at thirty cents", None, Route.TOOL, "calculator", {"expression": "12 * 0.3"})
    chosen = made.choose("twelve eggs at thirty cents")
    assert (chosen.tool, chosen.arguments) == ("calculator", {"expression": "12 * 0.3"})
    kept.add(None, "who rules the waves", None, Route.PERSONA, persona="Marv")
    assert made.choose("who rules the waves").persona == "Marv"
    kept.add(None, "good old times", None, Route.PERSONA, persona="Nobody")
    assert made.choose("good old times").persona == ""
    with pytest.raises(ForPerson):
        kept.add(None, "  ", None, Route.CHAT)


def test_corrections_never_leak_to_messages_that_ask_something_else(made: Router) -> None:
    """Twenty corrected messages, the other four hundred of the held-out file: not one is taken for them."""
    rows = read()
    before = {row["text"]: made.choose(row["text"], language=row["language"]) for row in rows}
    for row in rows[::24]:
        wrong = Route.CHAT if row["route"] != "chat" else Route.DOCUMENTS
        _kept(made).add(None, row["text"], None, wrong)
    corrected = {row["text"] for row in rows[::24]}
    for row in rows:
        if row["text"] not in corrected:
            assert made.choose(row["text"], language=row["language"]) == before[row["text"]], row["text"]


def test_another_number_is_another_question(made: Router) -> None:
    _kept(made).add(None, "What were the sales of Pellworth in 2021?", None, Route.CHAT)
    assert "corrected" not in made.choose("What were the sales of Pellworth in 2022?").reason
