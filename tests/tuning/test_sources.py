"""A file is known by what stands in it, is read a row at a time, and does not stop being read because of one row."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.tuning.exports import (
    broken_text,
    chatgpt,
    chatgpt_talk,
    claude_talk,
    lines,
    mangled,
    node,
    written,
    zipped,
)
from tuning.errors import ForPerson
from tuning.formats import FORMATS
from tuning.rows import content, to_row
from tuning.sources import KINDS, Reading, Skipped, open_source
from tuning.sources.files import FREE, encoding
from tuning.sources.skipped import CODES
from tuning.values import Answer, Example, Kind, Role, Source, Turn, conversation, preference

TALK = conversation(Turn(Role.USER, "Capital of Perú? 🙂"), Turn(Role.ASSISTANT, "Lima."))
PAIR = preference(TALK.turns[:1], Answer(TALK.turns[1:]), Answer((Turn(Role.ASSISTANT, "Quito."),)))
SCORE = Example(Kind.SCORE, TALK.turns[:1], (Answer(TALK.turns[1:], scores={"like": 1.0}),))
TEXT = Example(Kind.TEXT, text="Una página.")
OF = {Kind.CONVERSATION: TALK, Kind.PREFERENCE: PAIR, Kind.SCORE: SCORE, Kind.TEXT: TEXT}


def read(path: Path, **options: Any) -> tuple[list[Example], list[Skipped], Reading]:
    reading = open_source(path, **options)
    found = list(reading)
    examples = [one for one in found if isinstance(one, Example)]
    skipped = [one for one in found if isinstance(one, Skipped)]
    assert reading.examples == len(examples)
    assert sum(reading.skipped.values()) == len(skipped)
    return examples, skipped, reading


# ── what it is ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wrap", ["lines", "array", "pretty", "wrapped", "utf-16", "zip"])
@pytest.mark.parametrize("name", FORMATS)
def test_what_our_formats_write_comes_back_however_the_rows_are_put_together(
    tmp_path: Path, name: str, wrap: str
) -> None:
    example = OF[FORMATS[name].kinds[0]]
    rows = [row for _ in range(3) for row in FORMATS[name].write(example).rows]
    path = {
        "lines": lambda: lines(tmp_path / "rows", rows),
        "array": lambda: written(tmp_path / "rows", rows),
        "pretty": lambda: _text(tmp_path / "rows", json.dumps(rows, indent=2)),
        "wrapped": lambda: written(tmp_path / "rows", {"version": 2, "name": "a set", "data": rows}),
        "utf-16": lambda: written(tmp_path / "rows", rows, encoding="utf-16"),
        "zip": lambda: zipped(tmp_path / "rows", {"folder/rows.json": rows, "folder/picture.png": b"\x89PNG"}),
    }[wrap]()
    examples, skipped, reading = read(path)
    assert reading.format == ("openai" if name == "trl-messages" else name)  # the same rows
    assert skipped == []
    assert [content(one) for one in examples] == [content(example)] * 3
    assert [one.source.line for one in examples] == [1, 2, 3]
    assert len({one.source.group for one in examples}) == (1 if name == "afina" and example.source.group else 3)


def _text(path: Path, words: str) -> Path:
    path.write_text(words, encoding="utf-8")
    return path


def test_one_object_alone_is_a_file_of_one_row(tmp_path: Path) -> None:
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}
    for words in (
        json.dumps(row),
        json.dumps(row, indent=1),
        json.dumps(row, indent=1) + "\n" + json.dumps(row, indent=1),
    ):
        examples, skipped, _ = read(_text(tmp_path / "row", words))
        assert (len(examples), skipped) == (1 + words.count("}\n{"), [])


def test_our_own_rows_keep_where_they_come_from_but_for_numbers_of_another_database(tmp_path: Path) -> None:
    source = Source("chat", "A talk", "chat:12", conversation=12, messages=(40, 41), how="liked", persona="Marv")
    (example,), _, _ = read(lines(tmp_path / "rows.jsonl", [to_row(replace(TALK, source=source, tags=("a",)))]))
    assert example.tags == ("a",)
    assert example.source == Source("import", "rows.jsonl", "chat:12", line=1, how="liked", persona="Marv")


def test_a_sharegpt_object_is_no_wrapper_of_conversations(tmp_path: Path) -> None:
    row = {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]}
    (example,), _, reading = read(written(tmp_path / "row", row))
    assert ([turn.text for turn in example.turns], reading.format) == (["Hi", "Hello."], "sharegpt")


def test_a_row_with_nothing_said_is_no_wrapper_where_other_rows_follow(tmp_path: Path) -> None:
    good = {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]}
    examples, skipped, _ = read(lines(tmp_path / "rows", [{"conversations": []}, good, good]))
    assert (len(examples), [(one.line, one.code) for one in skipped]) == (2, [(1, "silent")])


def test_rows_of_several_kinds_in_one_file_are_each_read_as_what_they_are(tmp_path: Path) -> None:
    rows = [*FORMATS["openai"].write(TALK).rows * 3, {"prompt": "P", "completion": "C"}, chatgpt_talk("Q", "A")]
    examples, skipped, reading = read(lines(tmp_path / "rows", rows))
    assert ([one.prompt for one in examples], reading.format) == ([TALK.prompt] * 3 + ["P", "Q"], "openai")
    assert skipped == []
    alone, named, _ = read(tmp_path / "rows", format="openai")
    assert (len(alone), [(one.line, one.code) for one in named]) == (3, [(4, "shape"), (5, "shape")])
    assert named[0].said("es") != named[0].said("en")


@pytest.mark.parametrize(
    "words", ["just words\n", "# A readme\n\nWith text.\n", "a,b\n1,2\n", "[1, 2, 3]", "\x89PNG\r\n\x1a\n\0"]
)
def test_what_is_nothing_to_import_is_refused_in_a_sentence(tmp_path: Path, words: str) -> None:
    with pytest.raises(ForPerson) as refused:
        open_source(_text(tmp_path / "file", words))
    assert "ChatGPT" in str(refused.value)
    assert "comprimido" in refused.value.said("es")


def test_files_that_cannot_be_opened_are_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "missing", tmp_path / "empty", tmp_path):
        with pytest.raises(ForPerson):
            open_source(path)
    with pytest.raises(ForPerson, match="chatgpt, claude"):
        open_source(tmp_path / "empty", format="word")


def test_every_kind_has_a_reader_and_every_reason_two_languages() -> None:
    assert {"chatgpt", "claude", "afina-chats", "alpaca", "csv", "text", *FORMATS} <= set(KINDS)
    values = dict.fromkeys(("limit", "count", "reason", "reason_es", "found", "expected", "column"), "x")
    for code in CODES:
        one = Skipped(None, "", code, values)
        assert one.said("en")
        assert one.said("es") != one.said("en") or code == "shape"


# ── a row at a time ──────────────────────────────────────────────────────────────────────────────────────────────


def test_how_far_it_is_grows_to_the_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "rows", [chatgpt_talk("Q" * 5000, "A" * 5000) for _ in range(300)])
    reading = open_source(path)
    seen = [reading.read for _ in reading]
    assert seen == sorted(seen)
    assert 0 < seen[0] < reading.total / 2
    assert reading.read == reading.total == path.stat().st_size


def test_a_stop_ends_it_and_is_no_error(tmp_path: Path) -> None:
    path = written(tmp_path / "rows", [chatgpt_talk("Q" * 5000, "A" * 5000) for _ in range(300)])
    stop = Event()
    reading = open_source(path, stop=stop)
    for at, _ in enumerate(reading):
        if at == 2:
            stop.set()
    assert reading.examples == 3
    assert reading.read < reading.total


def test_a_stop_ends_it_inside_a_row_too(tmp_path: Path) -> None:
    words = '[{"prompt": "a", "completion": "b"}, {"prompt": "' + "x" * 30_000_000 + '"}]'
    reading = open_source(_text(tmp_path / "rows", words))
    each = iter(reading)
    next(each)
    reading.stop.set()
    assert list(each) == []
    assert reading.read < reading.total / 2


@pytest.mark.slow
@pytest.mark.parametrize("packed", [False, True])
def test_sixty_megabytes_are_read_in_little_memory(tmp_path: Path, packed: bool) -> None:
    """In a process of its own, so that what counts is what this reading took."""
    talk = json.dumps(chatgpt_talk(*["Lorem ipsum á 🙂 " * 60] * 10))
    path = tmp_path / "conversations.json"
    with path.open("w") as file:
        file.write("[" + talk)
        for _ in range(60_000_000 // len(talk)):
            file.write("," + talk)
        file.write("]")
    assert path.stat().st_size > 58_000_000
    if packed:
        with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, "conversations.json")
        path = tmp_path / "export.zip"
    program = (
        "import resource, sys; from pathlib import Path; from tuning.sources import open_source\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
        "before = peak(); reading = open_source(Path(sys.argv[1])); n = sum(1 for one in reading)\n"
        "print(n, reading.examples, reading.read, peak() - before)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=300, check=True
    )
    rows, examples, seen, megabytes = map(int, ended.stdout.split())
    assert rows == examples > 1000
    assert seen > 58_000_000
    assert megabytes < 40


def test_one_huge_message_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "rows", [chatgpt_talk("Q", 'a\\u"[' * 1_000_000), chatgpt_talk("Q2", "A2")])
    examples, skipped, _ = read(path)
    assert [len(one.turns[-1].text) for one in examples] == [5_000_000, 2]
    assert skipped == []


# ── what is broken ───────────────────────────────────────────────────────────────────────────────────────────────

TALKS = [chatgpt_talk(f"Question {at}", f"Answer {at}", own=str(at)) for at in range(5)]


def prompts(examples: list[Example]) -> list[str]:
    return [one.prompt for one in examples]


@pytest.mark.parametrize("rows", [TALKS, [claude_talk(f"Question {at}", "A", own=str(at)) for at in range(5)]])
def test_of_a_file_cut_off_anywhere_the_conversations_before_the_cut_are_read_and_the_cut_is_said(
    tmp_path: Path, rows: list[Any]
) -> None:
    whole = json.dumps(rows).encode()
    ends = [at for at in range(len(whole)) if whole[: at + 1].endswith((b'"claude-1"', b"}"))]
    for cut in [*range(len(json.dumps(rows[:1])) + 10, len(whole) - 1, 97), *ends[-9:-1], len(whole) - 1]:
        (tmp_path / "rows").write_bytes(whole[:cut])
        examples, skipped, _ = read(tmp_path / "rows")
        complete = sum(len(json.dumps(rows[: at + 1])) - 1 <= cut for at in range(5))
        assert prompts(examples) == [f"Question {at}" for at in range(complete)]
        assert [one.code for one in skipped] == ["cut"]
        assert f"#{complete + 1}" in skipped[0].where


def test_a_broken_conversation_costs_itself(tmp_path: Path) -> None:
    for bad in ('"Answer 2', '"Answer 2"]', "Answer 2"):
        words = json.dumps(TALKS).replace('"Answer 2"', bad)
        examples, skipped, _ = read(_text(tmp_path / "rows", words))
        assert prompts(examples) == [f"Question {at}" for at in (0, 1, 3, 4)]
        assert [(one.where, one.code, one.whole) for one in skipped] == [("#3", "broken", True)]


def test_a_last_row_that_is_broken_is_not_taken_for_a_cut(tmp_path: Path) -> None:
    good = json.dumps({"prompt": "P", "completion": "C"})
    for bad in (good.replace('"C"', '"C'), good.replace('"C"', "C"), "{bad}"):
        examples, skipped, _ = read(_text(tmp_path / "rows", f"[{good}, {bad}]\n"))
        assert (len(examples), [(one.where, one.code) for one in skipped]) == (1, [("#2", "broken_rest")])


def test_a_broken_claude_conversation_does_not_let_its_messages_pass_for_conversations(tmp_path: Path) -> None:
    rows = [claude_talk(*["words"] * 6, own=str(at)) for at in range(4)]
    words = json.dumps(rows).replace('"uuid": "1", "name": ', '"uuid": "1", "name": !', 1)
    examples, skipped, _ = read(_text(tmp_path / "rows", words))
    assert [one.source.group for one in examples] == ["import:claude:0", "import:claude:2", "import:claude:3"]
    assert [one.code for one in skipped] == ["broken"]


def test_lines_that_are_no_json_are_named_and_the_others_read(tmp_path: Path) -> None:
    good = json.dumps({"prompt": "P", "completion": "C"})
    bad = ["{bad}", '{"prompt": "P', "[]", "12", "", '"text"']
    bad += [f"{good},", f"{good} {good}", '{"prompt": NaN}', good[:-4]]
    examples, skipped, _ = read(_text(tmp_path / "rows", "\n".join([good, *bad])))
    assert len(examples) == 4
    assert [(one.line, one.code) for one in skipped] == [
        (2, "broken"), (3, "broken"), (4, "not_object"), (5, "not_object"), (7, "not_object"), (10, "shape"),
        (11, "cut"),
    ]  # fmt: skip


def test_two_files_put_after_each_other_are_both_read(tmp_path: Path) -> None:
    examples, skipped, _ = read(_text(tmp_path / "rows", json.dumps(TALKS[:2]) + "\n" + json.dumps(TALKS[2:])))
    assert (prompts(examples), skipped) == ([f"Question {at}" for at in range(5)], [])


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000, "[" * 3000 + "]" * 3000])
def test_nesting_without_end_costs_one_row_and_no_memory(tmp_path: Path, deep: str) -> None:
    good = json.dumps({"prompt": "P", "completion": "C"})
    row = '{"prompt": ' + deep + ', "completion": "C"}'
    examples, skipped, _ = read(_text(tmp_path / "rows", f"[{good}, {row}, {good}]"))
    assert (len(examples), [one.code for one in skipped]) == (2, ["too_deep"])
    examples, skipped, _ = read(_text(tmp_path / "rows", f"{good}\n{row}\n{good}\n"))
    assert (len(examples), [(one.line, one.code) for one in skipped]) == (2, [(2, "too_deep")])


def test_half_characters_and_zeros_come_in_as_what_can_be_stored(tmp_path: Path) -> None:
    row = '{"prompt": "\\ud83d half \\ud83d\\ude42 whole", "completion": "ze\\u0000ro"}'
    (example,), _, _ = read(_text(tmp_path / "rows", row))
    assert [turn.text for turn in example.turns] == ["\ufffd half 🙂 whole", "zero"]


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_a_file_is_read_in_the_encoding_it_is_in(tmp_path: Path, name: str) -> None:
    row = {"prompt": "¿Qué niño añora la cigüeña?", "completion": "Ninguno, señor."}
    (tmp_path / "rows").write_bytes(json.dumps([row] * 3, ensure_ascii=False).encode(name))
    examples, skipped, _ = read(tmp_path / "rows")
    assert (prompts(examples), skipped) == ([row["prompt"]] * 3, [])


def test_letters_that_cannot_be_read_are_said_where_they_stand(tmp_path: Path) -> None:
    rows = [json.dumps({"prompt": "¿Qué?", "completion": "Sí."}, ensure_ascii=False).encode() for _ in range(3)]
    rows[1] = rows[1].replace("é".encode(), b"\xe9")
    (tmp_path / "rows").write_bytes(b"\n".join(rows))
    examples, skipped, _ = read(tmp_path / "rows")
    assert prompts(examples) == ["¿Qué?", "¿Qu\ufffd?", "¿Qué?"]
    assert [(one.line, one.code, one.whole) for one in skipped] == [(2, "replaced", False)]
    assert encoding(b"\n".join(rows)) == "utf-8"


# ── archives ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_archives_that_are_damaged_or_hold_nothing_are_refused_in_a_sentence(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"conversations.json": TALKS})
    whole = archive.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:200] + whole[-22:]):
        archive.write_bytes(damaged)
        with pytest.raises(ForPerson, match="not downloaded whole"):
            open_source(archive)
    for members in ({"a.png": b"x"}, {"user.json": {}, "chat.html": b"x"}, {}):
        with pytest.raises(ForPerson, match="no conversations"):
            open_source(zipped(tmp_path / "b.zip", members))


def test_an_encrypted_archive_is_refused_in_a_sentence(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"conversations.json": TALKS})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\3\4") + 6] |= 1  # the flag that says so, in both places where it stands
    data[data.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(ForPerson, match="password"):
        open_source(archive)


def test_a_file_of_an_archive_that_is_damaged_inside_costs_itself(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {f"conversations-00{at}.json": [TALKS[at]] * 200 for at in range(3)})
    data = bytearray(archive.read_bytes())
    at = data.index(b"conversations-001.json") + 60
    data[at : at + 40] = bytes(40)
    archive.write_bytes(data)
    examples, skipped, _ = read(archive)
    assert {"Question 0", "Question 2"} <= set(prompts(examples))
    assert prompts(examples).count("Question 2") == 200
    assert [(one.where, one.code) for one in skipped if one.code == "member"] == [("conversations-001.json", "member")]


def test_an_archive_packed_in_a_way_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"conversations.json": TALKS})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\3\4") + 8] = 9  # the number of Deflate64, which Windows uses for long files
    data[data.index(b"PK\1\2") + 10] = 9
    archive.write_bytes(data)
    with pytest.raises(ForPerson, match="Unpack it and import the file by itself"):
        open_source(archive)


def test_files_of_several_kinds_in_one_archive_are_each_read_as_what_they_are(tmp_path: Path) -> None:
    members = {
        "a/rows.jsonl": json.dumps({"prompt": "P", "completion": "C"}).encode(),
        "a/table.csv": b"pregunta;respuesta\nUno;Dos\n",
        "b/chat.json": TALKS[0],
        "b/readme.md": b"# Nothing\n\nto learn\n",
    }
    examples, skipped, _ = read(zipped(tmp_path / "a.zip", members))
    assert prompts(examples) == ["P", "Uno", "Question 0"]
    assert [(one.where, one.code) for one in skipped] == [("readme.md", "unknown")]


def test_an_empty_numbered_file_of_an_export_is_no_loss(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"conversations-000.json": TALKS, "conversations-001.json": []})
    examples, skipped, _ = read(archive)
    assert (len(examples), skipped) == (5, [])


def test_an_archive_that_unpacks_without_end_is_named_and_what_came_before_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("conversations.json", "w") as file:
        file.write(json.dumps(TALKS)[:-1].encode())
        for _ in range(FREE // 1_000_000 + 20):
            file.write(b" " * 1_000_000)
        file.write(b"]")
    examples, skipped, reading = read(path)
    assert (len(examples), [one.code for one in skipped]) == (5, ["bomb"])
    assert reading.read < FREE + 2_000_000


# ── whatever a stranger's file may hold ──────────────────────────────────────────────────────────────────────────

ROWS: dict[str, Callable[[], Any]] = {
    "chatgpt": lambda: chatgpt(
        *chatgpt_talk("Hi", "Hello", "More", "Less")["mapping"].values(),
        node("t", "m0", "assistant", "x", kind="code", recipient="web"),
        node("m9", "t", "assistant", [{"content_type": "image_asset_pointer"}, "Yes"], kind="multimodal_text"),
    ),
    "claude": lambda: claude_talk("Hi", "Hello", "More", "Less"),
    "afina-chats": lambda: {
        "conversation": 1, "title": "t", "shown": 2,
        "messages": [
            {"id": 1, "parent": None, "role": "user", "text": "Hi", "status": "complete", "steps": [{"tool": "x"}]},
            {"id": 2, "parent": 1, "role": "assistant", "text": "Hello", "status": "complete", "liked": True},
        ],
    },
    "alpaca": lambda: {"instruction": "a", "input": "b", "output": "c", "history": [["d", "e"]]},
    **{name: lambda name=name: FORMATS[name].write(OF[FORMATS[name].kinds[0]]).rows[0] for name in FORMATS},
    "pairs": lambda: {"question": "a", "answer": "b"},
}  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_no_mess_of_types_ever_raises_and_every_row_is_counted(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for name, made in ROWS.items():
        often = chance.choice([0.02, 0.1, 0.3])
        rows = [_object(mangled(json.loads(json.dumps(made())), chance, often=often)) for _ in range(12)]
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        for wanted in (name, "auto"):
            try:
                found, skipped, _ = read(path, format=wanted, siblings=True)
            except ForPerson:
                assert wanted == "auto"  # nothing in it looked like anything
                continue
            told = {one.source.line for one in found} | {one.line for one in skipped}
            assert told == set(range(1, 13))
            for one in found:
                json.dumps(to_row(one)).encode()  # what a database can store
                assert "\0" not in "".join(one.texts)
                "".join(one.texts).encode()


def _object(row: Any) -> Any:
    return row if isinstance(row, dict) else {"row": row}


@pytest.mark.parametrize("seed", range(60))
def test_no_broken_bytes_ever_raise(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rows = [made() for made in ROWS.values() for _ in range(2)]
    csv_text = "question,answer\n" + 'a,"b\nc"\n' * 20
    prose = "# T\n\n## You\n\nHi\n\n## Afina\n\nHello\n\n" * 5 + "Q: x\nA: y\n" * 5
    for words in (json.dumps(rows), "\n".join(map(json.dumps, rows)), json.dumps(rows, indent=1), csv_text, prose):
        path = tmp_path / "file"
        path.write_bytes(broken_text(words, chance) or b" ")
        for wanted in ("auto", chance.choice(KINDS)):
            try:
                reading = open_source(path, format=wanted)
            except ForPerson:
                continue
            for one in reading:
                if isinstance(one, Skipped):
                    assert one.said("es")


def test_reading_is_done_once(tmp_path: Path) -> None:
    reading = open_source(written(tmp_path / "rows", TALKS))
    first = list(reading)
    assert len(first) == 5
    with pytest.raises(RuntimeError):
        list(reading)
