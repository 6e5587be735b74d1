"""What ChatGPT, Claude and Afina itself export comes in as what a person saw, and what is missing is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.history import History
from assistant.verbs import chats_export
from knowledge.store.database import connect
from tests.tuning.exports import (
    BEGAN,
    ROOT,
    block,
    chatgpt,
    chatgpt_talk,
    claude,
    claude_message,
    claude_talk,
    node,
    written,
    zipped,
)
from tuning.sources import Reading, Skipped, open_source
from tuning.values import Example, Kind, Role

Read = Callable[..., tuple[list[Example], list[Skipped], Reading]]
CITE = "\ue200cite\ue202turn0search1\ue202turn0search4\ue201"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(value: Any, **options: Any) -> tuple[list[Example], list[Skipped], Reading]:
        path = value if isinstance(value, Path) else written(tmp_path / "conversations.json", value)
        reading = open_source(path, **options)
        found = list(reading)
        examples = [one for one in found if isinstance(one, Example)]
        return examples, [one for one in found if isinstance(one, Skipped)], reading

    return read


def words(example: Example) -> list[tuple[str, str]]:
    return [(turn.role.value, turn.text) for turn in example.turns]


def codes(skipped: list[Skipped]) -> list[str]:
    return [one.code for one in skipped]


# ── ChatGPT ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chatgpt_conversation_is_what_was_shown_with_where_it_comes_from(read: Read) -> None:
    (example,), skipped, reading = read([chatgpt_talk("Hi", "Hello!", "¿Y tú? 🙂", "Bien.", own="abc")])
    assert words(example) == [("user", "Hi"), ("assistant", "Hello!"), ("user", "¿Y tú? 🙂"), ("assistant", "Bien.")]
    assert (reading.format, skipped, example.kind) == ("chatgpt", [], Kind.CONVERSATION)
    source = example.source
    assert (source.origin, source.name, source.line) == ("import", "conversations.json", 1)
    assert (source.model, source.created_at) == ("gpt-4o", "2023-11-14T22:13:20+00:00")
    assert source.group == "import:chatgpt:abc"


FORK = (
    node("r", None),
    node("q", "r", "user", "Capital of France?"),
    node("a1", "q", "assistant", "Lyon."),
    node("a2", "q", "assistant", "Paris."),
    node("q2", "a2", "user", "Thanks"),
    node("a3", "q2", "assistant", "Welcome."),
)


def test_of_several_branches_the_shown_one_is_read(read: Read) -> None:
    (example,), _, _ = read([chatgpt(*FORK, shown="a3")])
    assert [text for _, text in words(example)] == ["Capital of France?", "Paris.", "Thanks", "Welcome."]
    (other,), _, _ = read([chatgpt(*FORK, shown="a1")])
    assert [text for _, text in words(other)] == ["Capital of France?", "Lyon."]


@pytest.mark.parametrize("shown", ["nowhere", None, 7, ["a3"]])
def test_where_no_branch_is_said_to_be_shown_it_is_the_newest(read: Read, shown: Any) -> None:
    later = node("a1", "q", "assistant", "Lyon.", create_time=BEGAN + 999)
    (example,), _, _ = read([chatgpt(*FORK[:2], later, *FORK[3:], current_node=shown)])
    assert example.turns[-1].text == "Lyon."


def test_an_answer_asked_for_again_loses_only_where_a_person_says_that_it_should(read: Read) -> None:
    plain, _, _ = read([chatgpt(*FORK)])
    assert [one.kind for one in plain] == [Kind.CONVERSATION]
    (_, pair), _, _ = read([chatgpt(*FORK)], siblings=True)
    assert pair.kind is Kind.PREFERENCE
    assert [answer.text for answer in pair.answers] == ["Paris.", "Lyon."]
    assert words(pair) == [("user", "Capital of France?")]
    assert pair.source.how == "regenerated"
    assert pair.source.group == plain[0].source.group


def thumbs(tmp_path: Path, **ratings: str) -> Path:
    feedback = [{"message_id": message, "conversation_id": "c", "rating": one} for message, one in ratings.items()]
    return zipped(
        tmp_path / "export.zip",
        {"conversations.json": [chatgpt(*FORK)], "message_feedback.json": feedback, "user.json": {"id": "me"}},
    )


def test_thumbs_become_scores_and_a_thumb_up_beside_one_down_is_a_preference(read: Read, tmp_path: Path) -> None:
    found, _, _ = read(thumbs(tmp_path, a2="thumbsDown", a1="thumbs_up", a3="thumbsUp"))
    scores = {one.answers[0].text: one.answers[0].scores["like"] for one in found if one.kind is Kind.SCORE}
    assert scores == {"Paris.": 0.0, "Lyon.": 1.0, "Welcome.": 1.0}
    (pair,) = (one for one in found if one.kind is Kind.PREFERENCE)
    assert [answer.text for answer in pair.answers] == ["Lyon.", "Paris."]  # liked, though not shown
    assert pair.source.how == "liked"
    assert next(one for one in found if one.kind is Kind.CONVERSATION).source.how == "disliked"


def test_a_person_who_liked_the_other_answer_is_not_taken_to_prefer_the_shown_one(read: Read, tmp_path: Path) -> None:
    found, _, _ = read(thumbs(tmp_path, a1="thumbsUp"), siblings=True)
    assert Kind.PREFERENCE not in {one.kind for one in found}


IMAGE = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1", "width": 4}


def test_an_answer_about_a_picture_stays_but_is_not_learned_from(read: Read) -> None:
    talk = chatgpt(
        node("q", None, "user", [IMAGE, "What is this?"], kind="multimodal_text"),
        node("a", "q", "assistant", "A cat."),
        node("q2", "a", "user", "And the capital of Peru?"),
        node("a2", "q2", "assistant", "Lima."),
    )
    (example,), (part,), _ = read([talk])
    assert [turn.learn for turn in example.turns] == [True, False, True, True]
    assert (part.code, part.whole, part.values) == ("part", False, {"count": 1})


def test_a_message_that_is_only_a_picture_ends_the_conversation_before_it(read: Read) -> None:
    talk = chatgpt(
        node("q", None, "user", "Hi"),
        node("a", "q", "assistant", "Hello."),
        node("q2", "a", "user", [IMAGE], kind="multimodal_text"),
        node("a2", "q2", "assistant", "A cat."),
    )
    (example,), skipped, _ = read([talk])
    assert [text for _, text in words(example)] == ["Hi", "Hello."]
    assert codes(skipped) == ["part", "picture"]


def test_of_a_conversation_all_about_pictures_nothing_comes_in_and_that_is_said(read: Read) -> None:
    asked = node("q", None, "user", [IMAGE, "What is this?"], kind="multimodal_text")
    for first in (asked, node("q", None, "user", [IMAGE], kind="multimodal_text")):
        examples, (skipped,), _ = read([chatgpt(first, node("a", "q", "assistant", "A cat."))])
        assert (examples, skipped.code, skipped.whole) == ([], "unseen", True)


def test_a_transcript_stands_for_its_sound(read: Read) -> None:
    spoken = [
        {"content_type": "audio_transcription", "text": "Tell me a fact", "direction": "in"},
        {"content_type": "real_time_user_audio_video_asset_pointer", "audio_asset_pointer": {"asset_pointer": "s"}},
    ]
    talk = chatgpt(
        node("q", None, "user", spoken, kind="multimodal_text"), node("a", "q", "assistant", "Bees can count.")
    )
    (example,), skipped, _ = read([talk])
    assert words(example)[0] == ("user", "Tell me a fact")
    assert (skipped, example.turns[1].learn) == ([], True)


def test_an_attached_file_is_a_loss_once(read: Read) -> None:
    files = [{"id": "file_1", "name": "a.png", "mime_type": "image/png"}, {"id": "file_2", "name": "b.pdf"}]
    asked = node("q", None, "user", [IMAGE, "Read both"], kind="multimodal_text", metadata={"attachments": files})
    more = (node("a", "q", "assistant", "Yes."), node("q2", "a", "user", "Thanks"), node("a2", "q2", "assistant", "!"))
    _, (part,), _ = read([chatgpt(asked, *more)])
    assert part.values == {"count": 2}


def test_tools_are_left_out_and_counted_and_what_came_from_the_web_is_marked(read: Read) -> None:
    call = {"author": {"role": "assistant"}, "recipient": "web.run"}
    result = {"author": {"role": "tool", "name": "web.run"}}
    talk = chatgpt(
        node("q", None, "user", "News?"),
        node("t", "q", "assistant", "thinking", kind="thoughts"),
        node("c", "t", "assistant", '{"search_query": "news"}', kind="code", **call),
        node("o", "c", "tool", "a stranger's page", kind="sonic_webpage", **result),
        node("a", "o", "assistant", f"It rains{CITE}. It will【3†weather.example】 stop.{CITE}"),
    )
    (example,), (tool,), _ = read([talk])
    assert words(example)[-1] == ("assistant", "It rains. It will stop.")
    assert (tool.code, tool.values) == ("tool", {"count": 2})
    assert example.source.untrusted == ("web_page",)
    assert "stranger" not in repr(example)


@pytest.mark.parametrize(("tool", "untrusted"), [("python", ()), ("bio", ()), ("notion__jit_plugin.read", 1)])
def test_whose_words_a_tool_brought_in_is_known(read: Read, tool: str, untrusted: Any) -> None:
    talk = chatgpt(
        node("q", None, "user", "?"),
        node("c", "q", "assistant", "x", recipient=tool),
        node("o", "c", "tool", "y", author={"role": "tool", "name": tool}),
        node("a", "o", "assistant", "Done."),
    )
    (example,), _, _ = read([talk])
    assert len(example.source.untrusted) == (1 if untrusted else 0)


def test_a_citation_alone_says_that_an_answer_came_from_the_web(read: Read) -> None:
    (example,), _, _ = read([chatgpt_talk("News?", f"It rains.{CITE}")])
    assert example.source.untrusted == ("web_page",)


def test_marks_among_endless_spaces_take_no_endless_time(read: Read) -> None:
    (example,), _, _ = read([chatgpt_talk("?", " " * 400_000 + CITE + "a【1†source】" + " " * 400_000 + "b")])
    assert example.turns[-1].text.split() == ["a", "b"]


def test_a_named_thing_keeps_its_name_when_its_mark_goes(read: Read) -> None:
    marked = 'It is \ue200entity\ue202["city","Rome","capital of Italy"]\ue201, \ue203surely\ue204.'
    (example,), _, _ = read([chatgpt_talk("Capital?", marked)])
    assert example.turns[-1].text == "It is Rome, surely."
    assert example.source.untrusted == ()


def test_hidden_messages_and_custom_instructions_say_nothing(read: Read) -> None:
    talk = chatgpt(
        node("s", None, "system", "", metadata={"is_user_system_message": True}),
        node("u", "s", "user", "my profile", kind="user_editable_context"),
        node("h", "u", "user", "secret", metadata={"is_visually_hidden_from_conversation": True}),
        node("q", "h", "user", "Hi"),
        node("a", "q", "assistant", "Hello."),
    )
    (example,), skipped, _ = read([talk])
    assert words(example) == [("user", "Hi"), ("assistant", "Hello.")]
    assert skipped == []


def test_a_system_message_with_words_opens_the_conversation(read: Read) -> None:
    talk = chatgpt(
        node("s", None, "system", "Be Marv."), node("q", "s", "user", "Hi"), node("a", "q", "assistant", "Oh.")
    )
    (example,), _, _ = read([talk])
    assert example.system == "Be Marv."


def test_messages_of_one_side_are_one_turn(read: Read) -> None:
    talk = chatgpt(
        node("q", None, "user", "One."),
        node("q2", "q", "user", "Two."),
        node("a", "q2", "assistant", "Three."),
        node("a2", "a", "assistant", "Four."),
    )
    (example,), _, _ = read([talk])
    assert words(example) == [("user", "One.\n\nTwo."), ("assistant", "Three.\n\nFour.")]


def test_an_answer_that_was_only_a_picture_is_no_turn(read: Read) -> None:
    talk = chatgpt(
        node("q", None, "user", "Draw a cat"),
        node("a", "q", "assistant", [IMAGE], kind="multimodal_text"),
        node("q2", "a", "user", "Capital of Peru?"),
        node("a2", "q2", "assistant", "Lima."),
        node("q3", "a2", "user", "Of Chile?"),
        node("a3", "q3", "assistant", "Santiago."),
    )
    (example,), _, _ = read([talk])
    assert [turn.role for turn in example.turns] == [Role.USER, Role.ASSISTANT] * 2
    assert [turn.learn for turn in example.turns] == [True, False, True, True]


@pytest.mark.parametrize(
    "broken", [{"status": "in_progress"}, {"metadata": {"finish_details": {"type": "interrupted"}}}, {"weight": 0}]
)
def test_an_answer_that_was_broken_off_is_not_learned_from(read: Read, broken: dict[str, Any]) -> None:
    start = (node("q", None, "user", "Hi"), node("a", "q", "assistant", "Hello."), node("q2", "a", "user", "Go on"))
    (example,), (skipped,), _ = read([chatgpt(*start, node("a2", "q2", "assistant", "I was ab", **broken))])
    assert [turn.learn for turn in example.turns] == [True, True, True, False]
    assert (skipped.code, skipped.whole) == ("unfinished", False)
    examples, (skipped,), _ = read([chatgpt(node("q", None, "user", "Hi"), node("a", "q", "assistant", "I", **broken))])
    assert (examples, skipped.code) == ([], "unfinished_all")


def test_an_answer_that_went_on_is_whole(read: Read) -> None:
    stopped = {"metadata": {"finish_details": {"type": "max_tokens"}}}
    talk = chatgpt(
        node("q", None, "user", "Tell"),
        node("a", "q", "assistant", "Once upon", **stopped),
        node("a2", "a", "assistant", "a time."),
    )
    (example,), skipped, _ = read([talk])
    assert (example.turns[-1].learn, skipped) == (True, [])


def test_a_question_without_an_answer_is_left_out_and_said(read: Read) -> None:
    (example,), (skipped,), _ = read([chatgpt_talk("Hi", "Hello.", "Still there?")])
    assert ([text for _, text in words(example)], skipped.code) == (["Hi", "Hello."], "unanswered")


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (chatgpt_talk(), "silent"),
        (chatgpt_talk(""), "silent"),
        (chatgpt_talk("Hello?"), "no_answer"),
        (chatgpt(node("a", None, "assistant", "Welcome!")), "no_question"),
        ({"title": "x", "mapping": {}}, "silent"),
        ({"title": None, "mapping": {"a": None, "b": 3, "c": {"message": "x"}}}, "silent"),
    ],
)
def test_a_conversation_with_nothing_to_learn_says_why(read: Read, talk: Any, code: str) -> None:
    examples, (skipped,), _ = read([talk])
    assert (examples, skipped.code, skipped.whole) == ([], code, True)


def test_messages_in_a_circle_are_read_once_and_said(read: Read) -> None:
    nodes = [node("q", "a", "user", "Hi"), node("a", "q", "assistant", "Hello.")]
    (example,), (loop,), _ = read([chatgpt(*nodes, shown="a")])
    assert (len(example.turns), loop.code) == (2, "loop")


def test_parents_are_found_by_children_where_nodes_do_not_say_them(read: Read) -> None:
    talk = chatgpt_talk("Hi", "Hello.")
    for one in talk["mapping"].values():
        del one["parent"]
    (example,), _, _ = read([talk])
    assert [text for _, text in words(example)] == ["Hi", "Hello."]


def test_an_export_in_numbered_files_is_read_whole_and_says_which_file(read: Read, tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "export.zip",
        {
            "out/conversations-001.json": [chatgpt_talk("C", "D", own="2"), chatgpt_talk(own="3")],
            "out/conversations-000.json": [chatgpt_talk("A", "B", own="1")],
            "out/chat.html": b"<html>",
            "out/user.json": {"id": "me"},
            "__MACOSX/out/conversations-000.json": b"\0\5\26\7",
            "out/.conversations.json": b"\0\5\26\7",
        },
    )
    examples, (skipped,), reading = read(archive)
    assert [one.prompt for one in examples] == ["A", "C"]
    assert skipped.where == "conversations-001.json #2 “A talk”"
    assert reading.read == reading.total


# ── Claude ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_claude_conversation_is_what_was_shown_with_where_it_comes_from(read: Read) -> None:
    (example,), skipped, reading = read([claude_talk("Hi", "Hello!", own="u-1", model="claude-x")])
    assert words(example) == [("user", "Hi"), ("assistant", "Hello!")]
    assert (reading.format, skipped) == ("claude", [])
    assert (example.source.created_at, example.source.model) == ("2026-03-29T07:06:35+00:00", "claude-x")
    assert example.source.group == "import:claude:u-1"


def test_an_older_claude_export_without_parents_and_blocks_is_read_in_order(read: Read) -> None:
    old = claude({"uuid": "a", "sender": "human", "text": "Hi"}, {"uuid": "b", "sender": "assistant", "text": "Hello!"})
    (example,), _, _ = read([old])
    assert words(example) == [("user", "Hi"), ("assistant", "Hello!")]


CLAUDE_FORK = (
    claude_message("q", "human", "First try", parent=ROOT),
    claude_message("a", "assistant", "One.", parent="q"),
    claude_message("q2", "human", "Second try", parent=ROOT),
    claude_message("a2", "assistant", "Two.", parent="q2", created_at="2026-04-01T00:00:00Z"),
    claude_message("a3", "assistant", "Three.", parent="q2"),
)


def test_of_claudes_branches_the_newest_is_shown_unless_it_says_which(read: Read) -> None:
    (example,), _, _ = read([claude(*CLAUDE_FORK)])
    assert [text for _, text in words(example)] == ["Second try", "Two."]
    (said,), _, _ = read([claude(*CLAUDE_FORK, current_leaf_message_uuid="a")])
    assert [text for _, text in words(said)] == ["First try", "One."]
    pairs = [one for one in read([claude(*CLAUDE_FORK)], siblings=True)[0] if one.kind is Kind.PREFERENCE]
    assert [[answer.text for answer in pair.answers] for pair in pairs] == [["Two.", "Three."]]


@pytest.mark.parametrize("doubled", [True, False])
def test_claudes_messages_that_contradict_themselves_are_read_in_order(read: Read, doubled: bool) -> None:
    talk = claude_talk("Hi", "Hello.", "More", "Less.")
    if doubled:
        talk["chat_messages"][2]["uuid"] = "m0"
    else:
        talk["chat_messages"][2]["parent_message_uuid"] = "deleted"
    (example,), _, _ = read([talk])
    assert [text for _, text in words(example)] == ["Hi", "Hello.", "More", "Less."]


def test_what_was_pasted_is_part_of_the_message_and_a_file_without_text_is_a_loss(read: Read) -> None:
    pasted = [{"file_name": "", "file_type": "txt", "extracted_content": "The pasted text."}]
    unread = {"attachments": [{"file_name": "b.bin"}], "files": [{"file_name": "c.png"}]}
    talk = claude(
        claude_message("q", "human", "Sum up", attachments=pasted),
        claude_message("a", "assistant", "It is pasted."),
        claude_message("q2", "human", "And these?", **unread),
        claude_message("a2", "assistant", "Nice."),
    )
    (example,), (part,), _ = read([talk])
    assert words(example)[0] == ("user", "Sum up\n\nThe pasted text.")
    assert [turn.learn for turn in example.turns] == [True, True, True, False]
    assert part.values == {"count": 2}


def test_claudes_thinking_is_no_answer_and_its_tools_are_counted(read: Read) -> None:
    blocks = [
        block("thinking", thinking="Let me see"),
        block(text="I look it up."),
        block("tool_use", id="t", name="web_search", input={"query": "x"}),
        block("tool_result", tool_use_id="t", name="web_search", content=[{"type": "text", "text": "stranger"}]),
        block("tool_use", id="u", name="Calendar:list", input={}),
        block(text="It rains."),
    ]
    talk = claude(claude_message("q", "human", "Weather?"), claude_message("a", "assistant", content=blocks))
    (example,), (tool,), _ = read([talk])
    assert words(example)[1] == ("assistant", "I look it up.\n\nIt rains.")
    assert tool.values == {"count": 3}
    assert example.source.untrusted == ("web_page", "mcp:Calendar")


def test_claudes_archive_is_read_without_what_lies_beside_the_conversations(read: Read, tmp_path: Path) -> None:
    beside = {"users.json": [{"uuid": "me"}], "projects.json": [{"uuid": "p", "docs": []}], "memories.json": []}
    archive = zipped(tmp_path / "data.zip", {**beside, "conversations.json": [claude_talk("Hi", "Hello.")]})
    examples, skipped, reading = read(archive, name="data-2026.zip")
    assert (len(examples), skipped, reading.format) == (1, [], "claude")
    assert examples[0].source.name == "data-2026.zip"


# ── our own ──────────────────────────────────────────────────────────────────────────────────────────────────────


def message(id: int, parent: int | None, role: str, text: str, **more: Any) -> dict[str, Any]:  # noqa: A002
    return {
        "id": id, "conversation": 1, "parent": parent, "role": role, "text": text, "status": "complete",
        "created_at": "2026-11-01T10:00:00+00:00", "citations": [], "steps": [], "liked": None, "model": "m",
        "persona": "", "route": None, **more,
    }  # fmt: skip


TREE = [
    message(1, None, "user", "Capital of France?"),
    message(2, 1, "assistant", "Lyon [1].", citations=[{"n": 1, "title": "Atlas"}]),
    message(3, 1, "assistant", "Paris.", edited_from=2, persona="Marv", route="persona"),
    message(4, 1, "assistant", "Nice.", liked=False),
]


def own(**more: Any) -> dict[str, Any]:
    head = {"conversation": 1, "title": "France", "created_at": "2026-11-01T09:00:00+00:00", "documents": []}
    return {**head, "messages": TREE, **more}


def test_our_own_chats_come_back_as_the_shown_thread_in_both_ways_of_writing(read: Read, tmp_path: Path) -> None:
    for value in ({"conversations": [own(shown=3)]}, own(shown=3)):
        found, skipped, reading = read(value)
        assert (reading.format, skipped) == ("afina-chats", [])
        assert [text for _, text in words(found[0])] == ["Capital of France?", "Paris."]
        assert (found[0].source.persona, found[0].source.route) == ("Marv", "persona")


def test_a_mark_of_a_citation_goes_without_its_passage(read: Read) -> None:
    found, _, _ = read(own(shown=2))
    assert found[0].turns[-1].text == "Lyon."


def test_an_answer_that_a_person_corrected_beats_what_it_was(read: Read) -> None:
    found, _, _ = read(own(shown=3))
    (pair,) = (one for one in found if one.kind is Kind.PREFERENCE)
    assert ([answer.text for answer in pair.answers], pair.source.how) == (["Paris.", "Lyon."], "edited")
    (score,) = (one for one in found if one.kind is Kind.SCORE)
    assert (score.answers[0].text, dict(score.answers[0].scores)) == ("Nice.", {"like": 0.0})


def test_without_a_word_of_what_is_shown_it_is_the_newest_branch(read: Read) -> None:
    found, _, _ = read(own())
    assert found[0].turns[-1].text == "Nice."


def test_what_strangers_tools_brought_into_our_own_chats_is_marked(read: Read) -> None:
    steps = [
        {"call": "1", "tool": "calculator", "arguments": {}, "parent": ""},
        {"call": "1", "result": "4", "ok": True, "seconds": 0.1},
        {"call": "2", "tool": "web_page", "arguments": {}, "parent": ""},
        {"call": "2", "result": "a page", "ok": True, "seconds": 0.1},
    ]
    asked = [message(1, None, "user", "?"), message(2, 1, "assistant", "4", steps=steps)]
    (example,), (tool,), _ = read(own(messages=asked, shown=2))
    assert example.source.untrusted == ("web_page",)
    assert tool.values == {"count": 2}


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    engine = connect(f"sqlite:///{tmp_path / 'afina.sqlite3'}")
    yield History(engine)
    engine.dispose()


def exchange(
    history: History, conversation: int, question: str, answers: list[str], parent: int | None = None
) -> list[int]:
    asked = history.ask(conversation, question, parent)
    made = [history.begin(conversation, asked.id).id for _ in answers]
    for one, text in zip(made, answers, strict=True):
        history.finish(one, text=text)
    return made


@pytest.mark.parametrize("how", ["json", "jsonl", "markdown"])
def test_what_the_app_exports_comes_back_as_what_the_app_shows(
    read: Read, history: History, tmp_path: Path, how: Any
) -> None:
    for talk in ("first", "second"):
        conversation = history.create().id
        one, _ = exchange(history, conversation, f"A {talk} question?", ["The first answer.", "The second."])
        history.choose(one)
        history.rate(one, True)
        exchange(history, conversation, "¿Y ahora?", ["Sí.\n\n- uno\n- dos"], one)
    export = tmp_path / "export"
    rows = list(chats_export(history, format=how))
    text = "".join(row["text"] if how == "markdown" else json.dumps(row) + "\n" for row in rows)
    export.write_text(text, encoding="utf-8")
    found, skipped, _ = read(export)
    shown = [[line.text for line in history.thread(one.id)] for one in history.conversations()]
    talks = [one for one in found if one.kind is Kind.CONVERSATION]
    assert [[text for _, text in words(one)] for one in talks] == shown
    assert shown[0][1] == "The first answer."
    assert skipped == []
    assert sum(one.kind is Kind.SCORE for one in found) == (0 if how == "markdown" else 2)


def test_both_languages_say_every_reason(read: Read) -> None:
    _, skipped, _ = read([chatgpt_talk("Hello?"), chatgpt_talk()])
    assert all(one.said("en") != one.said("es") for one in skipped)
    assert json.dumps([one.said("es") for one in skipped])
