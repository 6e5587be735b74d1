"""Laws of turns: stored before answered, one end, everyone sees the same, nothing lost when the process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from assistant.choice import AUTO, Choice
from assistant.errors import ForPerson, TryAgain
from assistant.events import TERMINAL, Answered, Event, Failed, PassagesFound, Route, RouteChosen, Stopped, TextDelta
from assistant.history import Conversation, History, MessageStatus, UnknownMessage
from assistant.personas.voice import Said
from assistant.routing.corrections import Corrections
from assistant.turns import Turns
from knowledge import Basis, Citation, Passage, Turn, Usage
from knowledge.store.database import connect

PASSAGE = Passage(7, "a.pdf", 3, 12, "Wind turbines: 212.", 40, 59, 0.9, 0.8, 1.0)
CITATION = Citation(1, 7, "a.pdf", 3, "212", 55, 58, True)
CHOSEN = RouteChosen(Route.DOCUMENTS, "Because.", 0.9)
ANSWERED = Answered("There are 212 [1].", (CITATION,), Basis.MODEL, Usage(3, 2, 0.1, 0.2, "scripted"), "draft")
USUAL: list[Event] = [
    CHOSEN,
    PassagesFound((PASSAGE,), 0.01),
    TextDelta("There are "),
    TextDelta("212 [1].", (CITATION,)),
    ANSWERED,
]


HALF = TextDelta("half [1]", (CITATION,))


class Paced:
    """An agent that yields what it was given, each event after a while; `deaf`: it never looks at the stop event."""

    def __init__(self, events: Sequence[Event | BaseException], pause: float = 0.0, *, deaf: bool = False) -> None:
        self.events, self.pause, self.deaf = events, pause, deaf
        self.asked: list[tuple[str, list[Turn], Collection[int] | None, int]] = []
        self.before: list[str] = []  # what the history held when the agent was called
        self.history: History | None = None

    def run(
        self,
        question: str,
        *,
        history: Sequence[Turn],
        documents: Collection[int] | None,
        choice: Choice = AUTO,
        conversation: Conversation | None = None,
        message: int = 0,
        language: str = "en",
        stop: threading.Event,
        attempt: int = 0,
    ) -> Iterator[Event]:
        self.asked.append((question, list(history), documents, attempt))
        if self.history is not None:
            self.before = [message.text for message in self.history.thread(self.history.conversations()[0].id)]
        for event in self.events:
            if self.deaf:
                time.sleep(self.pause)
            elif stop.wait(self.pause):
                yield Stopped("as the agent saw it")
                return
            if isinstance(event, BaseException):
                raise event
            yield event


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'afina.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def history(engine: Engine) -> History:
    return History(engine)


def test_the_question_is_stored_before_the_agent_is_called(history: History) -> None:
    agent = Paced(USUAL)
    agent.history = history
    turns = Turns(history, agent)
    list(turns.follow(turns.start(history.create().id, "How many?", None)))
    assert agent.before == ["How many?", ""]


def test_a_finished_turn_is_stored_as_it_was_answered(history: History) -> None:
    turns = Turns(history, Paced(USUAL))
    answer = turns.start(history.create().id, "How many?", None)
    assert list(turns.follow(answer)) == USUAL
    stored = history.message(answer)
    assert (stored.status, stored.text, stored.citations) == (MessageStatus.COMPLETE, ANSWERED.text, (CITATION,))
    assert (stored.route, stored.reason, stored.confidence) == (CHOSEN.route, CHOSEN.reason, CHOSEN.confidence)
    assert (stored.passages, stored.usage, stored.model) == ((PASSAGE,), ANSWERED.usage, "scripted")
    assert (stored.basis, stored.draft) == (Basis.MODEL, "draft")


def test_whoever_sees_the_end_finds_it_stored(history: History) -> None:
    turns = Turns(history, Paced(USUAL, 0.01))
    for event in turns.follow(answer := turns.start(history.create().id, "How many?", None)):
        if isinstance(event, TERMINAL):
            assert history.message(answer).status is MessageStatus.COMPLETE


def test_followers_in_many_threads_early_and_late_see_the_same_events(history: History) -> None:
    turns = Turns(history, Paced(USUAL, 0.05))
    answer = turns.start(history.create().id, "How many?", None)
    seen: list[list[Event]] = [[] for _ in range(5)]

    def follow(n: int) -> None:
        time.sleep(0.06 * n)
        seen[n].extend(turns.follow(answer))

    threads = [threading.Thread(target=follow, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert seen == [USUAL] * 5


def test_following_does_not_wait_for_the_end(history: History) -> None:
    turns = Turns(history, Paced(USUAL, 0.2))
    events = turns.follow(turns.start(history.create().id, "How many?", None))
    begun = time.monotonic()
    assert next(events) == CHOSEN
    assert time.monotonic() - begun < 0.5
    list(events)


def test_a_follower_who_waits_costs_no_processor_time(history: History) -> None:
    turns = Turns(history, Paced(USUAL, 0.3))
    before = time.process_time()
    list(turns.follow(turns.start(history.create().id, "How many?", None)))
    assert time.process_time() - before < 0.3  # of 1.5 seconds


def test_an_answer_of_an_earlier_run_is_replayed_from_the_history(history: History) -> None:
    turns = Turns(history, Paced(USUAL))
    answer = turns.start(history.create().id, "How many?", None)
    list(turns.follow(answer))
    again = list(Turns(history, Paced([])).follow(answer))
    assert again == [CHOSEN, PassagesFound((PASSAGE,), 0.0), ANSWERED]
    with pytest.raises(UnknownMessage):
        turns.follow(999)


def test_the_text_so_far_is_on_disk_while_it_is_written(history: History) -> None:
    turns = Turns(history, Paced([CHOSEN, *[TextDelta(f"{n} ") for n in range(40)], ANSWERED], 0.05))
    answer = turns.start(history.create().id, "Count", None)
    lags = []
    text = ""
    for event in turns.follow(answer):
        if isinstance(event, TextDelta):
            text += event.text
            stored = history.message(answer)
            assert text.startswith(stored.text)
            lags.append(len(text.split()) - len(stored.text.split()))
    assert max(lags) <= 12  # 0.6 s of 20 words a second: written four times a second, and a busy machine forgiven


@pytest.mark.parametrize("deaf", [False, True])
def test_stop_ends_the_turn_within_a_second_even_when_the_model_does_not_listen(history: History, deaf: bool) -> None:
    agent = Paced([CHOSEN, TextDelta("Some text [3]"), *[TextDelta(" more")] * 3], 3.0 if deaf else 0.3, deaf=deaf)
    if deaf:
        agent.events = [CHOSEN, TextDelta("never seen")]
    turns = Turns(history, agent)
    conversation = history.create().id
    answer = turns.start(conversation, "Tell me", None)
    time.sleep(0.7)
    begun = time.monotonic()
    assert turns.stop(answer)
    events = list(turns.follow(answer))
    assert time.monotonic() - begun < 1.0
    stored = history.message(answer)
    expected = "" if deaf else "Some text"  # [3] leads nowhere: it came without a citation
    assert events[-1] == Stopped(expected)
    assert (stored.status, stored.text) == (MessageStatus.STOPPED, expected)
    assert turns.running(conversation) is None
    assert not turns.stop(answer)


def test_after_the_end_nothing_is_added_by_a_model_that_goes_on(history: History) -> None:
    turns = Turns(history, Paced([CHOSEN, TextDelta("late"), ANSWERED], 0.5, deaf=True))
    answer = turns.start(history.create().id, "Tell me", None)
    turns.stop(answer)
    before = list(turns.follow(answer))
    assert [isinstance(event, TERMINAL) for event in before].count(True) == 1
    time.sleep(1.5)
    assert list(turns.follow(answer)) == before
    assert history.message(answer).status is MessageStatus.STOPPED


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([CHOSEN, HALF, RuntimeError("a bug")], "went wrong"),
        ([CHOSEN, HALF], "gave no answer"),
        ([CHOSEN, HALF, Failed("The disk is full: make room.")], "make room"),
    ],
)
def test_whatever_goes_wrong_ends_in_one_sentence_and_keeps_the_text_with_its_citations(
    history: History, events: list[Event | BaseException], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    turns = Turns(history, Paced([events[0], PassagesFound((PASSAGE,), 0.0), *events[1:]]))
    answer = turns.start(history.create().id, "Tell me", None)
    last = list(turns.follow(answer))[-1]
    stored = history.message(answer)
    assert isinstance(last, Failed)
    assert words in last.message
    assert "Traceback" not in last.message
    assert (stored.status, stored.text, stored.failure) == (MessageStatus.FAILED, "half [1]", last.message)
    assert stored.citations == (CITATION,)
    assert list(Turns(history, Paced([])).follow(answer))[-2] == HALF  # so it is replayed


def test_retry_makes_a_sibling_answer_and_says_it_is_another_attempt(history: History) -> None:
    agent = Paced(USUAL)
    turns = Turns(history, agent)
    conversation = history.create().id
    first = turns.start(conversation, "How many?", None)
    list(turns.follow(first))
    second = turns.retry(first)
    list(turns.follow(second))
    assert history.message(second).siblings == (first, second)
    assert [asked[3] for asked in agent.asked] == [0, 1]
    question = history.message(first).parent
    assert question is not None
    third = turns.retry(question)  # of the question: what a page does when the answer never began
    list(turns.follow(third))
    assert history.message(first).siblings == (first, second, third)


def test_edit_makes_a_sibling_question_with_its_own_answer(history: History) -> None:
    agent = Paced(USUAL)
    turns = Turns(history, agent)
    conversation = history.create().id
    first = turns.start(conversation, "How many?", None)
    list(turns.follow(first))
    question = history.message(first).parent
    assert question is not None
    edited = turns.edit(question, "How many turbines?")
    list(turns.follow(edited))
    assert [message.text for message in history.thread(conversation)] == ["How many turbines?", ANSWERED.text]
    assert [message.text for message in history.thread(conversation, first)] == ["How many?", ANSWERED.text]
    assert agent.asked[-1] == ("How many turbines?", [], None, 0)
    with pytest.raises(ForPerson):
        turns.edit(first, "an answer is not edited")


def test_the_agent_gets_its_own_branch_and_the_documents_of_the_conversation(history: History) -> None:
    agent = Paced(USUAL)
    turns = Turns(history, agent)
    conversation = history.create().id
    history.attach(conversation, 7)
    first = turns.start(conversation, "one", None)
    list(turns.follow(first))
    list(turns.follow(turns.start(conversation, "another branch", None)))
    list(turns.follow(turns.start(conversation, "two", first)))
    assert agent.asked[-1][:3] == ("two", [Turn("user", "one"), Said("assistant", ANSWERED.text)], [7])


def test_two_tabs_that_send_at_once_both_get_their_answer(history: History) -> None:
    turns = Turns(history, Paced(USUAL, 0.05))
    conversation = history.create().id
    first = turns.start(conversation, "start", None)
    list(turns.follow(first))
    one, two = turns.start(conversation, "tab one", first), turns.start(conversation, "tab two", first)
    assert turns.running(conversation) == two
    assert list(turns.follow(one)) == list(turns.follow(two)) == USUAL
    assert len(history.messages(conversation)) == 6


def test_an_answer_that_is_being_written_cannot_be_answered(history: History) -> None:
    turns = Turns(history, Paced(USUAL, 0.2))
    conversation = history.create().id
    answer = turns.start(conversation, "How many?", None)
    with pytest.raises(TryAgain):
        turns.start(conversation, "too early", answer)
    list(turns.follow(answer))
    assert len(history.messages(conversation)) == 2


def test_closing_the_app_marks_what_runs_interrupted_and_starts_nothing_more(history: History) -> None:
    turns = Turns(history, Paced([CHOSEN, TextDelta("half"), *[TextDelta("!")] * 50], 0.2))
    conversation = history.create().id
    answer = turns.start(conversation, "Tell me", None)
    events = turns.follow(answer)
    while not isinstance(next(events), TextDelta):
        pass
    turns.close()
    assert isinstance(list(events)[-1], Failed)
    stored = history.message(answer)
    assert stored.status is MessageStatus.INTERRUPTED
    assert stored.text.startswith("half")
    with pytest.raises(TryAgain):
        turns.start(conversation, "more", None)


def test_purging_a_conversation_whose_answer_is_written_ends_the_turn(history: History) -> None:
    turns = Turns(history, Paced([CHOSEN, *[TextDelta("x")] * 100], 0.1))
    conversation = history.create().id
    answer = turns.start(conversation, "Tell me", None)
    history.delete(conversation)
    history.purge()
    begun = time.monotonic()
    assert isinstance(list(turns.follow(answer))[-1], TERMINAL)
    assert time.monotonic() - begun < 3


_KILLED = """
import sys
from assistant.history import History
from assistant.routing.corrections import Corrections
from assistant.turns import Turns
from knowledge.store.database import connect
from tests.assistant.test_turns import CHOSEN, CITATION, PASSAGE, Paced
from assistant.events import PassagesFound, TextDelta
history = History(connect(sys.argv[1]))
words = [TextDelta(f"word{n} [{1 + n % 2}] ", () if n else (CITATION,)) for n in range(1000)]
turns = Turns(history, Paced([CHOSEN, PassagesFound((PASSAGE,), 0.0), *words], 0.05))
for n, event in enumerate(turns.follow(turns.start(history.create().id, "Will this last?", None))):
    print(n, flush=True)
"""


def test_kill_nine_during_an_answer_leaves_the_question_and_the_partial_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'afina.sqlite3'}"
    command = [sys.executable, "-c", _KILLED, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        while child.stdout.readline() != "30\n":
            pass
        os.kill(child.pid, signal.SIGKILL)
    engine = connect(url)
    history = History(engine)
    question, answer = history.thread(history.conversations()[0].id)
    engine.dispose()
    assert question.text == "Will this last?"
    assert answer.status is MessageStatus.INTERRUPTED
    assert answer.text.startswith("word0 [1] word1 word2 [1]")  # [2] had no citation
    assert answer.text.count("word") >= 15  # of 29: what the last quarter of a second wrote may be gone
    assert answer.citations == (CITATION,)
    assert (answer.route, answer.passages) == (Route.DOCUMENTS, (PASSAGE,))


def test_a_retry_another_way_is_a_correction_and_the_same_way_is_none(engine: Engine, history: History) -> None:
    corrections = Corrections(engine)
    turns = Turns(history, Paced(USUAL), corrections)
    answer = turns.start(history.create().id, "How many?", None)
    list(turns.follow(answer))
    for choice in (AUTO, Choice(route="documents"), Choice(route="tool", tool="calculator"), Choice(route="chat")):
        list(turns.follow(turns.retry(answer, choice)))
    newest, first = corrections.all()
    assert (first.route, first.tool, first.text) == (Route.TOOL, "calculator", "How many?")
    assert (newest.route, newest.was["route"]) == (Route.CHAT, "documents")


def test_an_answer_says_who_gave_it_to_whoever_answers_next(history: History) -> None:
    chosen = RouteChosen(Route.PERSONA, "Because.", 1.0, persona="Marv")
    agent = Paced([chosen, ANSWERED])
    turns = Turns(history, agent)
    first = turns.start(history.create().id, "@Marv one", None)
    list(turns.follow(first))
    list(turns.follow(turns.start(history.message(first).conversation, "two", first)))
    assert agent.asked[-1][:2] == ("two", [Turn("user", "one"), Said("assistant", ANSWERED.text, "Marv")])
