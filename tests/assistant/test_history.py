"""Laws of the history: nothing is overwritten, nothing is lost, every change is seen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from assistant.errors import ForPerson, TryAgain
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
    from_row,
    to_row,
)
from assistant.history import History, Line, Message, MessageStatus, UnknownConversation, UnknownMessage, cited
from assistant.store.tables import Table
from knowledge import Basis, Citation, Passage, Usage
from knowledge.store.database import connect

PASSAGE = Passage(7, "a.pdf", 3, 12, "Wind turbines: 212.", 40, 59, 0.9, 0.8, 1.0)
CITATION = Citation(1, 7, "a.pdf", 3, "212", 55, 58, True)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'afina.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def history(engine: Engine) -> History:
    return History(engine)


def exchange(history: History, conversation: int, question: str, answer: str, parent: int | None = None) -> Message:
    asked = history.ask(conversation, question, parent)
    begun = history.begin(conversation, asked.id)
    history.finish(begun.id, text=answer)
    return history.message(begun.id)


def texts(thread: list[Message]) -> list[str]:
    return [message.text for message in thread]


def test_the_migrations_make_exactly_the_tables_the_code_reads(engine: Engine, history: History) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "assistant_version"})
        others = [
            change
            for change in compare_metadata(context, Table.metadata)
            if not (change[0] == "remove_table" and change[1].name == "assistant_version")
        ]
    assert others == []


def test_an_answer_comes_back_as_it_was_finished(history: History) -> None:
    conversation = history.create()
    begun = history.begin(conversation.id, history.ask(conversation.id, "How many?", None).id)
    assert begun.status is MessageStatus.WRITING
    usage = Usage(10, 5, 0.1, 0.4, "smollm2-135m")
    history.finish(
        begun.id,
        text="There are 212 [1].",
        status=MessageStatus.COMPLETE,
        chosen=RouteChosen(Route.DOCUMENTS, "Because.", 0.8),
        basis=Basis.QUOTES,
        citations=[CITATION],
        passages=[PASSAGE],
        usage=usage,
        model="smollm2-135m",
        draft="many",
    )
    stored = history.message(begun.id)
    assert (stored.citations, stored.passages, stored.usage) == ((CITATION,), (PASSAGE,), usage)
    assert (stored.route, stored.basis, stored.draft) == (Route.DOCUMENTS, Basis.QUOTES, "many")
    assert (stored.status, stored.confidence, stored.reason) == (MessageStatus.COMPLETE, 0.8, "Because.")


def test_every_time_is_utc_and_aware(history: History) -> None:
    before = datetime.now(UTC)
    conversation = history.create()
    message = history.ask(conversation.id, "When?", None)
    for time in (conversation.created_at, history.conversation(conversation.id).updated_at, message.created_at):
        assert time.utcoffset() == timedelta(0)
        assert before <= time <= datetime.now(UTC)


def test_retries_and_edits_are_siblings_and_the_newest_is_shown(history: History) -> None:
    conversation = history.create().id
    first = exchange(history, conversation, "one", "1")
    again = history.begin(conversation, first.parent or 0)
    history.finish(again.id, text="1 again")
    assert texts(history.thread(conversation)) == ["one", "1 again"]
    exchange(history, conversation, "one, edited", "1 edited", None)
    assert texts(history.thread(conversation)) == ["one, edited", "1 edited"]
    assert history.thread(conversation)[0].siblings == (first.parent, (first.parent or 0) + 3)
    assert history.message(first.id).siblings == (first.id, again.id)
    assert texts(history.messages(conversation)) == ["one", "1", "1 again", "one, edited", "1 edited"]


def test_opening_a_turn_is_asking_and_beginning_at_once(history: History) -> None:
    conversation = history.create().id
    history.attach(conversation, 9)
    before = exchange(history, conversation, "one", "1")
    ticks = history.version()
    opened = history.open(conversation, "two", before.id)
    assert history.version() == ticks + 1  # one transaction
    assert (opened.text, opened.attempt, opened.documents) == ("two", 0, (9,))
    assert opened.earlier == (Line("user", "one"), Line("assistant", "1"))
    assert opened.conversation == history.conversation(conversation)
    question, answer = history.thread(conversation)[2:]
    assert (question.id, question.text, question.status) == (opened.question, "two", MessageStatus.COMPLETE)
    assert (answer.id, answer.text, answer.status) == (opened.answer, "", MessageStatus.WRITING)
    history.finish(opened.answer, text="2")
    again = history.open(conversation, None, opened.question)
    assert (again.question, again.text, again.attempt) == (opened.question, "two", 1)
    assert again.earlier == opened.earlier
    assert history.message(again.answer).siblings == (opened.answer, again.answer)


def test_a_turn_that_cannot_be_opened_stores_neither_question_nor_answer(history: History) -> None:
    conversation, other = history.create().id, history.create().id
    foreign = exchange(history, other, "q", "a")
    writing = history.open(conversation, "q", None)
    before = history.version(), texts(history.messages(conversation))
    with pytest.raises(TryAgain) as refused:
        history.open(conversation, "too early", writing.answer)
    assert "escrib" in refused.value.said("es")
    for number, asked, parent, error in (
        (conversation, " ", None, ForPerson),
        (conversation, "q", foreign.id, UnknownMessage),
        (conversation, None, writing.answer, ForPerson),
        (conversation, None, foreign.parent, UnknownMessage),
        (conversation, None, 999, UnknownMessage),
        (999, "q", None, UnknownConversation),
    ):
        with pytest.raises(error):
            history.open(number, asked, parent)
    assert (history.version(), texts(history.messages(conversation))) == before


def test_choosing_a_branch_shows_it_whole_and_coming_back_finds_it_as_it_was(history: History) -> None:
    conversation = history.create().id
    left = exchange(history, conversation, "left", "L1")
    exchange(history, conversation, "left more", "L2", left.id)
    right = exchange(history, conversation, "right", "R1")
    history.choose(left.parent or 0)
    assert texts(history.thread(conversation)) == ["left", "L1", "left more", "L2"]
    history.choose(right.id)
    assert texts(history.thread(conversation)) == ["right", "R1"]
    assert texts(history.thread(conversation, left.id)) == ["left", "L1", "left more", "L2"]
    assert texts(history.path(left.id)) == ["left", "L1"]


def test_a_stale_tab_makes_a_branch_and_overwrites_nothing(engine: Engine, history: History) -> None:
    """Two tabs are two History views on one database; both saw the same last answer."""
    conversation = history.create().id
    last = exchange(history, conversation, "start", "seen by both")
    other = Tab(engine)
    exchange(history, conversation, "from the first tab", "A", last.id)
    exchange(other, conversation, "from the stale tab", "B", last.id)
    assert texts(history.thread(conversation)) == ["start", "seen by both", "from the stale tab", "B"]
    siblings = history.thread(conversation)[2].siblings
    assert len(siblings) == 2
    assert texts(history.thread(conversation, siblings[0]))[2:] == ["from the first tab", "A"]


class Tab(History):
    """A second view of a history that is open already: nothing is migrated or mended."""

    def __init__(self, engine: Engine) -> None:
        super(History, self).__init__(engine)


def test_writers_in_many_threads_lose_no_message_and_no_tick(engine: Engine, history: History) -> None:
    conversation = history.create().id
    start = history.version()
    failures: list[BaseException] = []

    def write(view: History, name: str) -> None:
        try:
            for n in range(10):
                view.ask(conversation, f"{name}{n}", None)
        except BaseException as error:
            failures.append(error)

    views = [history, history, Tab(engine), Tab(engine)]
    threads = [threading.Thread(target=write, args=(view, f"t{i}-")) for i, view in enumerate(views)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(texts(history.messages(conversation)))) == 40
    assert history.version() == start + 40


def test_a_finished_answer_cannot_be_changed(history: History) -> None:
    conversation = history.create().id
    answer = exchange(history, conversation, "q", "final")
    assert not history.grow(answer.id, "late flush")
    assert not history.finish(answer.id, text="second end", status=MessageStatus.STOPPED)
    assert history.message(answer.id) == answer


def test_growing_keeps_the_whole_text_so_far_and_what_is_known_of_the_route(history: History) -> None:
    conversation = history.create().id
    begun = history.begin(conversation, history.ask(conversation, "q", None).id)
    assert history.grow(begun.id, "", chosen=RouteChosen(Route.DOCUMENTS, "why", 0.5), passages=[PASSAGE])
    assert history.grow(begun.id, "Hal")
    stored = history.message(begun.id)
    assert (stored.text, stored.route, stored.reason, stored.passages) == ("Hal", Route.DOCUMENTS, "why", (PASSAGE,))
    assert stored.status is MessageStatus.WRITING


_CRASH = """
import sys, time
from assistant.history import History
from knowledge.store.database import connect
history = History(connect(sys.argv[1]))
conversation = history.create().id
begun = history.begin(conversation, history.ask(conversation, "Will this last?", None).id)
history.grow(begun.id, "It was written [4] before")
print("written", flush=True)
time.sleep(60)
"""


def test_kill_nine_while_writing_leaves_the_question_and_the_text_so_far_interrupted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'afina.sqlite3'}"
    with subprocess.Popen([sys.executable, "-c", _CRASH, url], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "written\n"
        os.kill(child.pid, signal.SIGKILL)
    engine = connect(url)
    history = History(engine)
    thread = history.thread(history.conversations()[0].id)
    engine.dispose()
    assert texts(thread) == ["Will this last?", "It was written before"]  # no mark that leads nowhere
    assert thread[1].status is MessageStatus.INTERRUPTED


def test_a_number_that_leads_nowhere_is_left_out() -> None:
    text = "One [1], link [2](x), nine [9], again [1], `row[9]`."
    assert cited(text, [CITATION]) == "One [1], link [2](x), nine, again [1], `row[9]`."
    assert cited(text, []) == "One, link [2](x), nine, again, `row[9]`."


def test_the_first_question_names_the_conversation_until_a_person_does(history: History) -> None:
    conversation = history.create().id
    exchange(
        history, conversation, "How many wind turbines does Brenmoor Energy operate along the northern coast?", "212"
    )
    title = history.conversation(conversation).title
    assert title == "How many wind turbines does Brenmoor Energy operate along…"
    history.ask(conversation, "Something else", None)
    assert history.conversation(conversation).title == title
    assert history.rename(conversation, "  Turbines \n").title == "Turbines"
    history.ask(conversation, "A third", None)
    assert history.conversation(conversation).title == "Turbines"
    assert history.rename(conversation, "").title == title


@pytest.mark.parametrize(
    "question", ["a" * 300, "palabra " * 40, "exactly sixty " + "b" * 46, "short", "x" * 60 + " y"]
)
def test_a_title_is_one_line_of_at_most_sixty_characters_cut_at_a_word(history: History, question: str) -> None:
    conversation = history.create().id
    history.ask(conversation, question, None)
    title = history.conversation(conversation).title
    assert 0 < len(title) <= 60
    whole = title.removesuffix("…")
    assert question.startswith(whole)
    if " " in question[:60]:
        assert question[len(whole) : len(whole) + 1] in ("", " ")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("CAÑA", True),
        ("cana", True),
        ("donde LA", True),
        ("respuesta", True),
        ("título", True),
        ("titulo respuesta", True),
        ("titulo nada", False),
        ("100%", True),
        ("100_", False),
        ("10%%", False),
        ("", True),
    ],
)
def test_search_finds_titles_and_messages_without_case_or_accents(history: History, search: str, found: bool) -> None:
    conversation = history.create("El TÍTULO").id
    exchange(history, conversation, "¿Dónde está la caña?", "Respuesta al 100% segura")
    assert [c.id for c in history.conversations(search)] == ([conversation] if found else [])


def test_deleting_hides_restoring_brings_back_whole_and_purging_really_deletes(
    engine: Engine, history: History
) -> None:
    kept, gone = history.create("kept").id, history.create("gone").id
    answer = exchange(history, gone, "secret question", "secret answer")
    history.rate(answer.id, True)
    history.attach(gone, 5)
    history.delete(gone)
    assert [c.id for c in history.conversations()] == [kept]
    for read in (history.conversation, history.thread, history.delete):
        with pytest.raises(UnknownConversation):
            read(gone)
    assert history.purge(timedelta(days=1)) == 0
    history.restore(gone)
    assert texts(history.thread(gone)) == ["secret question", "secret answer"]
    history.delete(gone)
    assert history.purge() == 1
    with pytest.raises(UnknownConversation):
        history.restore(gone)
    with engine.connect() as connection:
        for table in ("messages", "ratings", "attachments"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    assert history.create().id > gone  # an old tab must not meet another conversation under its number


def test_a_thread_of_thousands_can_be_read_in_part_and_purged(history: History) -> None:
    """SQLite's cascade is limited to a depth of 1,000."""
    conversation = history.create().id
    parent = None
    with history._write() as (session, _):
        for n in range(1500):
            row = history._conversation(session, conversation)
            session.execute(
                text(
                    "INSERT INTO messages (conversation_id, parent_id, role, text, text_folded, status, reason, "
                    "confidence, citations, passages, model, draft, failure, created_at) VALUES "
                    "(:c, :p, 'user', :t, '', 'complete', '', 0, '[]', '[]', '', '', '', '2026-01-01 00:00:00')"
                ),
                {"c": row.id, "p": parent, "t": str(n)},
            )
            parent = session.scalar(text("SELECT last_insert_rowid()"))
    assert len(history.thread(conversation)) == 1500
    assert texts(history.thread(conversation, limit=2)) == ["1498", "1499"]
    history.delete(conversation)
    assert history.purge() == 1


def test_conversations_come_newest_first_in_pages(history: History) -> None:
    ids = [history.create(str(n)).id for n in range(5)]
    history.ask(ids[0], "me again", None)
    shown = [ids[0], ids[4], ids[3], ids[2], ids[1]]
    assert [c.id for c in history.conversations()] == shown
    assert [c.id for c in history.conversations(limit=2, offset=1)] == shown[1:3]
    assert history.conversations()[0].messages == 1


def test_ratings_follow_each_other_and_the_newest_counts(engine: Engine, history: History) -> None:
    answer = exchange(history, history.create().id, "q", "a")
    assert answer.liked is None
    history.rate(answer.id, True)
    rated = history.rate(answer.id, False, ("wrong", "too long"), "no")
    assert (rated.liked, rated.reasons, rated.note) == (False, ("wrong", "too long"), "no")
    assert history.rate(answer.id, None).liked is None
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM ratings")) == 3


def test_attaching_twice_is_attaching_once(history: History) -> None:
    conversation = history.create().id
    for document in (9, 4, 9):
        history.attach(conversation, document)
    assert history.attached(conversation) == [9, 4]
    history.detach(conversation, 9)
    assert history.attached(conversation) == [4]


CHANGES: list[tuple[str, Callable[[History, int, Message], object]]] = [
    ("ask", lambda h, c, m: h.ask(c, "new", m.id)),
    ("begin", lambda h, c, m: h.begin(c, m.parent or 0)),
    ("open", lambda h, c, m: h.open(c, "new", m.id)),
    ("rate", lambda h, c, m: h.rate(m.id, True)),
    ("choose", lambda h, c, m: h.choose(m.id)),
    ("rename", lambda h, c, m: h.rename(c, "new")),
    ("attach", lambda h, c, m: h.attach(c, 1)),
    ("detach", lambda h, c, m: h.detach(c, 1)),
    ("delete", lambda h, c, m: h.delete(c)),
]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_whatever_changes_moves_the_version_of_its_conversation_only(
    history: History, name: str, change: Callable[[History, int, Message], object]
) -> None:
    mine, other = history.create().id, history.create().id
    message = exchange(history, mine, "q", "a")
    before = history.version(), history.version(mine), history.version(other)
    change(history, mine, message)
    assert history.version() > before[0]
    assert history.version(mine) != before[1]
    assert history.version(other) == before[2]


def test_reading_moves_no_version(history: History) -> None:
    conversation = history.create().id
    message = exchange(history, conversation, "q", "a")
    before = history.version()
    (
        history.thread(conversation),
        history.conversations("q"),
        history.message(message.id),
        history.attached(conversation),
    )
    assert history.version() == before


def test_what_is_unknown_or_empty_is_refused_and_changes_nothing(history: History) -> None:
    conversation, other = history.create().id, history.create().id
    foreign = exchange(history, other, "q", "a")
    before = history.version()
    with pytest.raises(UnknownConversation):
        history.ask(999, "q", None)
    with pytest.raises(UnknownMessage):
        history.ask(conversation, "q", foreign.id)
    with pytest.raises(ForPerson):
        history.ask(conversation, " \n", None)
    with pytest.raises(ForPerson):
        history.begin(other, foreign.id)
    with pytest.raises(ForPerson):
        history.rate(foreign.parent or 0, True)
    assert history.messages(conversation) == []
    assert history.version() == before


EVENTS: list[Event] = [
    RouteChosen(Route.DOCUMENTS, "Because.", 0.9),
    PassagesFound((PASSAGE,), 0.01),
    ToolStarted("1", "clock", {"zone": "UTC"}),
    ToolFinished("1", "noon", True, 0.1),
    ApprovalNeeded("1", "web_page", {"url": "http://localhost"}, "It reaches out."),
    TextDelta("¡Hola!"),
    TextDelta("212 [1].", (CITATION,)),
    Answered("There are 212 [1].", (CITATION,), Basis.MODEL, Usage(1, 2, 0.1, 0.2, "m"), "draft"),
    Answered("Hello.", (), None, Usage()),
    Failed("Try again.", False),
    Stopped("so far"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_being_a_json_row(event: Event) -> None:
    import json

    assert from_row(json.loads(json.dumps(to_row(event)))) == event


def test_a_piece_without_citations_says_nothing_of_them() -> None:
    assert to_row(TextDelta("a")) == {"type": "text_delta", "text": "a"}


def test_an_unknown_event_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="text_delta"):
        from_row({"type": "surprise"})


def test_half_a_character_is_stored_as_a_mark_and_a_whole_one_as_itself(history: History) -> None:
    conversation = history.create()
    question = history.ask(conversation.id, "half \ud83d and whole \ud83d\ude00", None)
    answer = history.begin(conversation.id, question.id)
    assert history.grow(answer.id, "cut \ud83d")
    assert history.finish(answer.id, text="end \ude00", draft="\ud83d")
    assert question.text == "half \ufffd and whole 😀"
    assert (history.message(answer.id).text, history.message(answer.id).draft) == ("end \ufffd", "\ufffd")


def test_a_corrected_answer_is_a_sibling_and_what_it_corrects_is_kept(history: History) -> None:
    conversation = history.create().id
    question = history.ask(conversation, "Where?", None)
    answer = history.begin(conversation, question.id)
    cited = [Citation(n, 1, "map.pdf", 1, "Here.", 0, 5, True) for n in (1, 2, 3)]
    history.finish(answer.id, text="It is here [1]. And there [2]. Or not [3].", citations=cited, model="m")
    corrected = history.correct(answer.id, "It is here [1]. And *far* there [2]. [9]")
    assert corrected.edited_from == answer.id
    assert corrected.siblings == (answer.id, corrected.id)
    assert history.thread(conversation)[-1].id == corrected.id
    assert history.message(answer.id).text.startswith("It is here [1]. And there")
    assert "[9]" not in corrected.text  # every [n] has exactly one citation
    assert [(one.n, one.verified) for one in corrected.citations] == [(1, True), (2, False)]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_answer_is_not_corrected_to_nothing(history: History, text: str) -> None:
    conversation = history.create().id
    question = history.ask(conversation, "Where?", None)
    answer = history.begin(conversation, question.id)
    with pytest.raises(ForPerson, match="finished"):
        history.correct(answer.id, "Here.")
    history.finish(answer.id, text="There.")
    with pytest.raises(ForPerson, match="empty"):
        history.correct(answer.id, text)
    with pytest.raises(ForPerson, match="finished"):
        history.correct(question.id, "Here.")


def test_only_conversations_that_exist_stand_and_a_deleted_one_stands_unseen(history: History) -> None:
    one, other = history.create().id, history.create().id
    history.delete(other)
    assert history.standing([one, other, 99]) == {one: True, other: False}
