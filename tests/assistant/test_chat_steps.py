"""Laws of how steps, decisions, routes and settings are drawn: nothing hidden, nothing lost, every state told."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from assistant.chat_page import live, messages_view, route_view, setup_view, steps_view
from assistant.chat_page.cast import Ability, Cast, Face, shown
from assistant.chat_page.company import Offered, SetUp
from assistant.chat_page.wording import words_in
from assistant.events import (
    Answered,
    ApprovalGiven,
    ApprovalNeeded,
    Decision,
    Route,
    RouteChosen,
    Step,
    ToolFinished,
    ToolStarted,
)
from assistant.history import MessageStatus
from assistant.models.inference import UNSAID, Inference
from knowledge import Usage
from tests.assistant.test_chat_page import ANSWER, EVIL

SAY = words_in("en")
CAST = Cast(
    (Face(1, "Marv", "marv", "🙄", "Ask.", "", {"temperature": 0.7}), Face(2, "Doña Marta", "dona-marta")),
    (
        Ability("calculator", "Calculator", offered=True),
        Ability("web_page", "Read a web page", "reaches"),
        Ability("write_file", "Write a file", "writes"),
    ),
)
STARTED = ToolStarted("c1", "web_page", {"url": "https://a.example/?q=private"})
NEEDED = ApprovalNeeded("c1", "web_page", {"url": "https://a.example/?q=private"}, "It reaches out.")
ASKED: tuple[Step, ...] = (STARTED, NEEDED)


@pytest.mark.parametrize(
    ("after", "writing", "state"),
    [
        ((), True, "waiting"),
        ((), False, "stopped"),
        ((ApprovalGiven("c1", Decision.ONCE),), True, "running"),
        ((ApprovalGiven("c1", Decision.DENY), ToolFinished("c1", "Not allowed.", False, 0.0)), True, "denied"),
        ((ApprovalGiven("c1", Decision.ALWAYS), ToolFinished("c1", "x", True, 1.0)), True, "ok"),
        ((ApprovalGiven("c1", Decision.ONCE), ToolFinished("c1", "No answer.", False, 1.0)), True, "failed"),
    ],
)
def test_a_step_says_where_it_stands(after: tuple[Step, ...], writing: bool, state: str) -> None:
    html = steps_view.steps((*ASKED, *after), 5, SAY, CAST, writing=writing)
    assert f'data-state="{state}"' in html
    assert html.count('data-do="approve"') == (3 if state == "waiting" else 0)  # after the decision the buttons go


def test_a_decision_shows_all_that_would_be_sent_and_why() -> None:
    long = "x" * 5_000 + "THE-END"
    needed = replace(NEEDED, arguments={"url": long, "body": {"k": [1, "ñ"]}})
    html = steps_view.steps((STARTED, needed), 5, SAY, CAST, writing=True)
    card = html[html.index('class="approval"') :]
    assert long in card
    assert "ñ" in card
    assert "Read a web page" in card
    assert "sent out" in card
    assert "It reaches out." in card
    assert re.findall(r'data-decision="(\w+)"', card) == ["once", "always", "deny"]
    assert html.index("</details>") < html.index('class="approval"')  # not inside what can be folded away


@pytest.mark.parametrize(("tool", "words"), [("write_file", "changed"), ("calculator", "text from outside")])
def test_a_decision_says_what_a_call_does(tool: str, words: str) -> None:
    html = steps_view.steps((replace(STARTED, tool=tool), replace(NEEDED, tool=tool)), 5, SAY, CAST, writing=True)
    assert words in html[html.index('class="approval"') :]


@pytest.mark.parametrize("sign", ["\u202e", "\u200b", "\u2066", "\x07", "\x1b", "\u00ad", "\U000e0041"])
def test_no_sign_hides_or_turns_what_is_agreed_to(sign: str) -> None:
    html = steps_view.steps((STARTED, replace(NEEDED, arguments={"url": f"a{sign}b"})), 5, SAY, CAST, writing=True)
    assert sign not in html
    assert f"a⟨U+{ord(sign):04X}⟩b" in html
    assert shown("a\tb\n👩‍💻 ñ") == "a\tb\n👩‍💻 ñ"


def test_a_strangers_words_in_a_step_stay_words() -> None:
    steps = (
        ToolStarted(EVIL, EVIL, {EVIL: EVIL, "deep": {EVIL: [EVIL]}}),
        ApprovalNeeded(EVIL, EVIL, {EVIL: EVIL}, EVIL),
    )
    done = (*steps, ToolFinished(EVIL, EVIL * 200, False, 1.0))
    for html in (steps_view.steps(steps, 5, SAY, writing=True), steps_view.steps(done, 5, SAY)):
        assert "<img" not in html


def test_a_call_within_a_call_stands_inside_it() -> None:
    steps = (
        ToolStarted("a", "ask_persona", {}),
        ToolStarted("b", "calculator", {"expression": "1+1"}, parent="a"),
        ToolFinished("b", "2", True, 0.25),
        ToolFinished("a", "two", True, 1.0),
    )
    outer = re.search(r'data-key="a".*?<ol class="step-list">(.*?)</ol></li>', steps_view.steps(steps, 5, SAY, CAST))
    assert outer
    assert 'data-key="b"' in outer[1]
    assert "2 steps · 1.0 s" in steps_view.steps(steps, 5, SAY, CAST)  # the inner time is part of the outer one
    assert "2 pasos · 1,0 s" in steps_view.steps(steps, 5, words_in("es"), CAST)


def test_calls_that_name_each_other_as_parents_are_all_shown() -> None:
    steps = (
        ToolStarted("a", "x", {}, parent="b"),
        ToolStarted("b", "y", {}, parent="a"),
        ToolStarted("c", "z", {}, "c"),
    )
    html = steps_view.steps(steps, 5, SAY, writing=True)
    assert {key for key in "abc" if f'data-key="{key}"' in html} == set("abc")


def test_a_long_result_is_cut_and_can_be_seen_whole() -> None:
    text = "\n".join(f"line {n}" for n in range(400))
    html = steps_view.steps((STARTED, ToolFinished("c1", text, True, 0.1)), 5, SAY, CAST)
    cut, whole = html.split('class="link less"')
    assert "line 399" not in cut
    assert "line 399" in whole


def test_stored_steps_are_one_line_and_live_ones_are_open() -> None:
    done = (*ASKED, ApprovalGiven("c1", Decision.ONCE), ToolFinished("c1", "x", True, 1.0))
    html = messages_view.answer(replace(ANSWER, steps=done), SAY, CAST)
    assert '<details class="steps" data-keep><summary>' in html
    writing = replace(ANSWER, status=MessageStatus.WRITING, steps=ASKED)
    assert '<details class="steps" data-keep open>' in messages_view.answer(writing, SAY, CAST)  # a reload keeps asking
    assert 'data-do="approve"' in messages_view.answer(writing, SAY, CAST)
    assert 'data-do="approve"' not in messages_view.answer(replace(writing, status=MessageStatus.STOPPED), SAY, CAST)


def test_live_frames_show_each_step_and_who_speaks() -> None:
    events = [RouteChosen(Route.CHAT, "why", 0.9, persona="Marv"), *ASKED, ApprovalGiven("c1", Decision.DENY)]
    frames = list(live.frames(5, [*events, Answered("x", (), None, Usage())], SAY, CAST))
    assert "Marv" in frames[0]["who"]
    states = [re.findall(r'data-state="(\w+)"', frame["steps"]) for frame in frames if "steps" in frame]
    assert states == [["running"], ["waiting"], ["denied"]]


@pytest.mark.parametrize(
    ("chosen", "gone"),
    [
        (RouteChosen(Route.DOCUMENTS, "why", 0.9), ("documents", "", "")),
        (RouteChosen(Route.TOOL, "why", 0.9, "calculator"), ("tool", "calculator", "")),
        (RouteChosen(Route.PERSONA, "why", 0.9, persona="Marv"), ("persona", "", "Marv")),
        (RouteChosen(Route.CHAT, "why", 0.9), ("chat", "", "")),
    ],
)
def test_a_route_can_be_corrected_to_every_other_way(chosen: RouteChosen, gone: tuple[str, str, str]) -> None:
    every = {("documents", "", ""), ("tool", "calculator", ""), ("chat", "", "")}
    every |= {("persona", "", "Marv"), ("persona", "", "Doña Marta")}
    html = route_view.chip(chosen, 5, SAY, CAST)
    found = re.findall(
        r'data-do="reroute"[^>]*?data-route="(\w+)"(?: data-tool="(\w+)")?(?: data-persona="([^"]+)")?', html
    )
    assert set(found) == every - {gone}
    assert "90 %" in html
    assert "web_page" not in html  # it is not offered now
    assert 'data-do="forget" data-correction="3"' in route_view.chip(chosen, 5, SAY, CAST, note=3)


def _panel(settings: Inference = UNSAID, **takes: str) -> str:
    chosen = SetUp(persona=1, model="local:a", settings=settings)
    every = dict.fromkeys(Inference.model_fields, "") | takes
    return setup_view.panel(
        chosen, Inference(temperature=0.7), "local:a", [Offered("local:a", "A")], every, [("x", EVIL)], SAY
    )


def test_what_a_model_does_not_take_is_greyed_out_with_its_reason() -> None:
    html = _panel(top_k="OpenAI takes no top-k.", stop="No stop here.")
    for name, reason in (("top_k", "OpenAI takes no top-k."), ("stop", "No stop here.")):
        field = re.search(rf'<(?:input|textarea) class="input"[^>]*name="{name}".*?</small>', html, re.DOTALL)
        assert field
        assert " disabled" in field[0]
        assert reason in field[0]
    assert len(re.findall(r'<input class="input"[^>]* disabled', html)) == 1


def test_the_panel_shows_what_is_set_and_what_holds_elsewhere() -> None:
    html = _panel(Inference(max_tokens=300, seed=0, stop=("###", EVIL)))
    assert 'name="max_tokens" min="1" max="32768" step="1" inputmode="decimal" value="300"' in html
    assert re.search(r'name="seed"[^>]*value="0"', html)  # nought is a number that was chosen
    assert re.search(r'name="temperature"[^>]*value=""[^>]*placeholder="0.7"', html)  # the persona's
    assert "###\n" in html
    assert "<img" not in html
    assert 'data-do="withdraw" data-tool="x"' in html


def test_what_an_answer_was_made_with_is_told() -> None:
    html = messages_view.answer(replace(ANSWER, model="local:a", settings={"temperature": 0.25, "seed": 7}), SAY)
    assert "local:a" in html
    assert "temperature 0.25 · seed 7" in html
    assert "temperatura 0,25 · semilla 7" in messages_view.answer(
        replace(ANSWER, settings={"temperature": 0.25, "seed": 7}), words_in("es")
    )


def test_an_empty_chat_greets_as_the_persona() -> None:
    html = setup_view.greeting(Face(1, EVIL, "x", "/afina/face/1?of=2", EVIL), "", SAY)
    assert '<img src="/afina/face/1?of=2"' in html
    assert html.count("<img") == 1
