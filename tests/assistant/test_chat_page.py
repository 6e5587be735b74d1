"""Laws of the chat page's drawing: strangers' words stay words, every event is drawn, every action is checked."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from assistant.chat_page import actions, live, markdown, messages_view, setup_view, shell_view
from assistant.chat_page.cast import Cast, Face
from assistant.chat_page.company import SetUp
from assistant.chat_page.wording import FOLDER, words_in
from assistant.errors import ForPerson
from assistant.events import (
    Answered,
    ApprovalNeeded,
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
from assistant.history import Conversation, Message, MessageStatus
from assistant.pages import Place
from assistant.pages.door import Action, answered
from knowledge import Basis, Citation, Passage, Usage
from knowledge.pages.wording import LANGUAGES, Words, words

EVIL = '"><img src=x onerror=alert(1)>'
NOW = datetime(2026, 1, 2, tzinfo=UTC)
CITED = Citation(1, 3, "a.pdf", 7, "212 wind turbines", 10, 27, True)
DOUBTED = replace(CITED, n=2, verified=False)
PASSAGE = Passage(3, EVIL, 7, 1, EVIL, 0, 10, 1.0, 1.0, 1.0)
ANSWER = Message(
    5, 1, 4, "assistant", "There are 212 [1], some say [2].", MessageStatus.COMPLETE, NOW, (5, 6),
    Route.DOCUMENTS, "the question names a file", 0.9, Basis.MODEL, (CITED, DOUBTED), (PASSAGE,),
    Usage(900, 120, 0.4, 2.3, "smollm2-135m"),
)  # fmt: skip
SAY = words_in("en")


@pytest.mark.parametrize(
    "text",
    [
        "![p](http://e.invalid/p.png)",
        "![p][r]\n\n[r]: http://e.invalid/p.png",
        '<img src="http://e.invalid/p.png">',
        "<script>alert(1)</script>",
        "<style>@import 'http://e.invalid'</style>",
        "[a](javascript:alert(1))",
        "[a](  JaVaScRiPt:alert(1))",
        "[a](data:text/html,x)",
        "[a](//e.invalid)",
        "[a](file:///etc/passwd)",
        "`<img src=x>`",
        "```html\n<img src=x onerror=alert(1)>\n```",
        "| <img src=x> |\n|---|\n| <svg onload=x> |",
        '[x](https://e.invalid/"onmouseover="alert(1))',
        EVIL,
    ],
)
def test_an_answer_fetches_nothing_and_runs_nothing(text: str) -> None:
    from html.parser import HTMLParser

    inline, block = {"a", "strong", "em", "code", "span", "br", "button"}, {"p", "pre", "div"}
    allowed = inline | block | {"table", "thead", "tbody", "tr", "th", "td"}

    class Look(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in allowed
            for name, value in attrs:
                assert name in {"class", "href", "target", "rel", "title", "data-do", "aria-label"}
                assert name != "href" or str(value).startswith("https://")

    Look().feed(markdown.to_html(text))


def test_links_open_elsewhere_without_telling_from_where() -> None:
    html = markdown.to_html("[a](https://example.org)")
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_a_citation_is_a_button_and_a_doubted_one_looks_different() -> None:
    html = messages_view.answer(ANSWER, SAY)
    assert 'class="cite" data-do="cite" data-message="5" data-n="1"' in html
    assert 'class="cite unverified" data-do="cite" data-message="5" data-n="2"' in html


def test_a_number_without_a_citation_stays_text_and_code_has_no_citations() -> None:
    draw = markdown.button([CITED], 5, "page", "not verified")
    assert "<button" not in markdown.to_html("See [9].", draw)
    assert 'data-do="cite"' not in markdown.to_html("`a[1]`", draw)
    assert markdown.to_html("Both [1][1] and [1, 1].", draw).count('data-do="cite"') == 4


def test_a_number_stands_with_the_word_before_it() -> None:
    draw = markdown.button([CITED], 5, "page", "not verified")
    assert '<span class="tie">1998. <button class="cite"' in markdown.to_html("After 1998. [1]", draw)


def test_nothing_a_stranger_wrote_is_html() -> None:
    message = replace(ANSWER, text=EVIL, reason=EVIL, draft=EVIL + "x", failure=EVIL, note=EVIL, liked=True, model=EVIL)
    conversation = Conversation(1, EVIL, NOW, NOW)
    for html in (
        messages_view.question(replace(message, role="user"), SAY),
        messages_view.answer(message, SAY),
        messages_view.answer(replace(message, status=MessageStatus.FAILED), SAY),
        shell_view.conversations([conversation], 1, "", SAY),
        setup_view.head(EVIL, SetUp(), EVIL, SAY, Cast((Face(1, EVIL, "x", "", EVIL),))),
        shell_view.citation_bar(1, EVIL, False, (None, 2), 5, "x", SAY),
    ):
        assert "<img src=x" not in html


@pytest.mark.parametrize("status", [MessageStatus.FAILED, MessageStatus.STOPPED, MessageStatus.INTERRUPTED])
def test_an_answer_that_did_not_end_well_says_so_and_offers_another(status: MessageStatus) -> None:
    html = messages_view.answer(replace(ANSWER, status=status, failure="The model is gone."), SAY)
    assert 'class="ended' in html
    assert 'data-do="retry"' in html


def test_quotes_are_labelled_as_quotes() -> None:
    html = messages_view.answer(replace(ANSWER, basis=Basis.QUOTES, draft="The draft."), SAY)
    assert "own wording was not supported by your documents; these are their words" in html
    assert "The draft." in html


def test_siblings_are_counted_and_stepped_through() -> None:
    html = messages_view.siblings(ANSWER, SAY)
    assert "1/2" in html
    assert 'data-message="6"' in html
    assert html.count("disabled") == 1


EVENTS: list[Event] = [
    RouteChosen(Route.DOCUMENTS, "because", 0.9),
    PassagesFound((PASSAGE,), 0.1),
    ToolStarted("c", "clock", {}),
    ToolFinished("c", "noon", True, 0.1),
    ApprovalNeeded("c", "mail", {}, "it writes"),
    TextDelta("Some **text** [1]", (CITED,)),
]


@pytest.mark.parametrize(
    "last", [Answered("text", (), None, Usage()), Failed("no"), Stopped("some")], ids=["answered", "failed", "stopped"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_is_drawn_and_the_last_frame_says_done(last: Event, language: str) -> None:
    frames = [frame for frame in live.frames(5, [*EVENTS, last], words_in(language)) if frame]
    assert frames[-1] == {"done": True}
    assert all("done" not in frame for frame in frames[:-1])
    assert any("<strong>text</strong>" in frame.get("text", "") for frame in frames)


def test_citations_can_be_opened_while_the_answer_is_written() -> None:
    drawn = [frame["text"] for frame in live.frames(5, [*EVENTS, Stopped("some")], SAY) if "text" in frame]
    assert 'data-do="cite" data-message="5" data-n="1"' in drawn[-1]
    without = [frame["text"] for frame in live.frames(5, [TextDelta("See [1]")], SAY) if "text" in frame]
    assert "[1]" in without[-1]  # plain talk: no button that opens nothing


def test_what_was_looked_at_bears_no_numbers_that_look_like_citations() -> None:
    assert "[3]" not in messages_view.sources(replace(ANSWER, draft="Some say 212 [3]."), SAY)
    html = messages_view.passages([PASSAGE, PASSAGE], SAY)
    assert html.count('data-do="page"') == 2
    assert 'class="number"' not in html


def test_both_languages_know_the_same_words_with_the_same_values() -> None:
    english, spanish = (words(language, FOLDER).sentences for language in LANGUAGES)
    assert english.keys() == spanish.keys()
    for key in english:
        fields = [{f for _, f, _, _ in string.Formatter().parse(s[key]) if f} for s in (english, spanish)]
        assert fields[0] == fields[1], key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shell_is_whole_in_every_language(language: str) -> None:
    html = shell_view.shell(words_in(language))
    for region in ("list", "head", "banner", "thread", "files"):
        assert f'data-region="{region}"' in html


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {"do": "drop-tables"},
        {"do": "show", "path": "/etc/passwd"},
        {"do": "send", "text": ""},
        {"do": "send", "text": "x" * 20_001},
        {"do": "cite", "message": 1, "n": 0},
        {"do": "rate", "message": 1, "liked": True, "reasons": ["<b>"]},
        {"do": "retry", "message": 1, "route": "root"},
        {"do": "add", "path": "/x", "name": "y", "url": "http://e.invalid"},
    ],
)
def test_only_known_actions_get_through_the_door(payload: object) -> None:
    with pytest.raises(ValidationError):
        actions.door.validate_python(payload)


def test_a_password_is_in_no_log() -> None:
    action = actions.door.validate_python({"do": "password", "arrival": 1, "password": "abracadabra"})
    assert "abracadabra" not in repr(action)


class _Stuck(Action):
    do: Literal["stick"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_further_pages_stand_in_the_sidebar_and_no_others(language: str) -> None:
    html = shell_view.shell(words_in(language), [Place("tools", icon="tools", key="t")])
    assert re.findall(r'data-view="(\w+)"', html) == ["documents", "tools"]
    assert "<dd><kbd>g</kbd><kbd>t</kbd>" in html
    assert "<kbd>m</kbd>" not in html


@pytest.mark.parametrize(
    ("payload", "raised", "said"),
    [
        ({"do": "stick", "more": 1}, None, "bad_request"),
        ({"do": "run"}, None, "bad_request"),
        ({"do": "stick"}, RuntimeError("at /secret/path"), "went_wrong"),
        ({"do": "stick"}, ForPerson("It is stuck: pull.", spanish="Está atascado: tira."), ""),
    ],
)
def test_a_pages_door_answers_with_a_sentence(payload: object, raised: Exception | None, said: str) -> None:
    def act(action: _Stuck, say: Words) -> dict[str, Any]:
        assert raised
        raise raised

    spanish = words_in("es")
    answer = answered(TypeAdapter(_Stuck), payload, spanish, act)
    assert answer == {"error": spanish(said) if said else "Está atascado: tira."}
