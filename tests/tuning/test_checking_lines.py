"""What is wrong with a file or a line as JSON: each kind by its code, at its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tuning.generated import plain_rows
from tuning.checking import Problem, Summary, check

GOOD = plain_rows(60)


def found_in(path: Path, name: str = "openai") -> tuple[list[Problem], Summary]:
    *problems, summary = check(path, name)
    assert isinstance(summary, Summary)
    some = [one for one in problems if isinstance(one, Problem)]
    assert len(some) == len(problems)
    return some, summary


def checked(tmp_path: Path, content: bytes, name: str = "openai") -> list[tuple[int, str]]:
    path = tmp_path / "train.jsonl"
    path.write_bytes(content)
    return [(one.line, one.code) for one in found_in(path, name)[0]]


def with_line(line: bytes, at: int = 30) -> bytes:
    """Sixty good lines, that one in place of the 30th."""
    return b"".join([*GOOD[: at - 1], line + b"\n", *GOOD[at:]])


TURN = b'{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]}'
LINES: list[tuple[str, bytes]] = [
    ("not_json", b"hello"),
    ("not_json", b"question;answer"),
    ("not_json", b'{messages: [{"role": "user"}]}'),
    ("not_json", b'{"messages" [1]}'),
    ("not_json", b'{"messages": +1}'),
    ("blank_line", b""),
    ("blank_line", b"  \t\r"),
    ("invalid_utf8", TURN.replace(b"yes", b"s\xed")),
    ("invalid_utf8", TURN.replace(b"yes", b"\xc3\x28")),
    ("invalid_utf8", TURN.replace(b"yes", b"\xed\xa0\xbd")),
    ("invalid_utf8", TURN.replace(b"yes", b"\xf0\x9f\x99")),
    ("lone_surrogate", TURN.replace(b"yes", b"yes \\ud83d")),
    ("lone_surrogate", TURN.replace(b"yes", b"\\uDE44 yes")),
    ("lone_surrogate", TURN.replace(b"yes", b"\\ud83d\\ud83d\\ude00")),
    ("not_object", b"[" + TURN + b"]"),
    ("not_object", b'"messages"'),
    ("not_object", b"null"),
    ("not_object", b"3.5"),
    ("two_objects", TURN + b" " + TURN),
    ("two_objects", TURN + TURN),
    ("two_objects", TURN + b"\r" + TURN),
    ("two_objects", TURN + b", " + TURN),
    ("extra_data", TURN + b" // a note"),
    ("trailing_comma", TURN + b","),
    ("trailing_comma", TURN[:-1] + b",}"),
    ("trailing_comma", TURN[:-2] + b", ]}"),
    ("trailing_comma", b'{"messages": [1, ], "tools": []}'),
    ("not_a_number", TURN[:-1] + b', "parallel_tool_calls": NaN}'),
    ("not_a_number", TURN[:-1] + b', "parallel_tool_calls": -Infinity}'),
    ("duplicate_key", TURN[:-1] + b', "messages": []}'),
    ("duplicate_key", TURN.replace(b'"role": "user"', b'"role": "system", "role": "user"')),
    ("unfinished", TURN[:40]),
    ("unfinished", b"{"),
    ("unfinished", TURN[:-1]),
    ("single_quotes", b"{'messages': []}"),
    ("single_quotes", b"{\"messages\": ['a']}"),
    ("python_word", b'{"messages": None}'),
    ("python_word", TURN[:-1] + b', "parallel_tool_calls": True}'),
    ("control_character", TURN.replace(b"yes", b"y\tes")),
    ("control_character", TURN.replace(b"yes", b"y\x00es")),
    ("bad_escape", TURN.replace(b"yes", b"C:\\Users")),
    ("bad_escape", TURN.replace(b"yes", b"\\u12g4 and so on")),
    ("too_deep", b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    ("number_too_long", b'{"a": ' + b"1" * 5000 + b"}"),
    ("special_token", TURN.replace(b"yes", b"yes <|endoftext|>")),
    ("special_token", TURN.replace(b"hi", b"<|im_start|>system")),
    ("special_token", TURN.replace(b"hi", b"\\u003c|im_end|\\u003e")),
    ("special_token", TURN.replace(b"hi", b"[INST] hi [/INST]")),
    ("bom", b"\xef\xbb\xbf" + TURN),
]


@pytest.mark.parametrize(("code", "line"), LINES, ids=lambda value: value if isinstance(value, str) else None)
@pytest.mark.parametrize("at", [1, 30, 60])
def test_what_is_wrong_with_a_line_is_found_at_that_line(tmp_path: Path, code: str, line: bytes, at: int) -> None:
    wanted = "truncated" if code == "unfinished" and at == 60 else code
    found = checked(tmp_path, with_line(line, at))
    assert (at, wanted) in found
    assert {number for number, _ in found} == {at}


def test_a_last_line_that_was_cut_is_told_from_one_that_goes_on(tmp_path: Path) -> None:
    whole = b"".join(GOOD)
    for cut in (1, 5, 40, 200, len(GOOD[-1]) - 2):
        content = whole[: -1 - cut]
        assert checked(tmp_path, content) == [(60, "truncated")]
    assert checked(tmp_path, whole[:-1]) == []  # no line end at the end of the file is no fault


def test_the_byte_that_is_not_utf8_is_named_by_its_place_in_the_file(tmp_path: Path) -> None:
    content = with_line(TURN.replace(b"yes", b"s\xed"))
    path = tmp_path / "train.jsonl"
    path.write_bytes(content)
    (problem,) = found_in(path)[0]
    assert problem.values["offset"] == content.index(b"\xed")
    assert content[content.index(b"\xed")] == int(str(problem.values["found"]), 16)
    assert str(problem.values["offset"]) in problem.said("es")


def test_two_faults_of_one_line_are_both_told_with_the_place_of_each(tmp_path: Path) -> None:
    line = TURN.replace(b"hi", b"\\ud83d").replace(b"yes", b"<|im_end|>")[:-1] + b', "messages_": NaN}'
    path = tmp_path / "train.jsonl"
    path.write_bytes(with_line(line))
    assert {(one.field, one.code) for one in found_in(path)[0]} == {
        ("messages[0].content", "lone_surrogate"),
        ("messages[1].content", "special_token"),
        ("messages_", "not_a_number"),
        ("messages_", "unknown_key"),
    }


def test_what_can_still_be_read_of_a_faulty_line_is_checked_too(tmp_path: Path) -> None:
    assert checked(tmp_path, with_line(b'{"messages": []},')) == [(30, "trailing_comma"), (30, "messages_empty")]
    assert checked(tmp_path, with_line(b'{"messages": [], "a\xff": 1}')) == [
        (30, "invalid_utf8"),
        (30, "unknown_key"),
        (30, "messages_empty"),
    ]


WHOLE: list[tuple[str, int, bytes]] = [
    ("bom", 1, b"\xef\xbb\xbf" + b"".join(GOOD)),
    ("utf16", 1, b"".join(GOOD).decode().encode("utf-16")),
    ("utf16", 1, b"".join(GOOD).decode().encode("utf-16-le")),
    ("utf16", 1, b"".join(GOOD).decode().encode("utf-16-be")),
    ("utf16", 1, b"".join(GOOD).decode().encode("utf-32")),
    ("json_array", 1, b"[" + b",".join(row.strip() for row in GOOD) + b"]"),
    ("json_array", 1, json.dumps([json.loads(row) for row in GOOD], indent=2).encode()),
    ("json_array", 1, b"\n\n[\n" + b",\n".join(row.strip() for row in GOOD) + b"\n]\n"),
    ("json_array", 1, b"[]"),
    ("not_text", 1, b"PK\x03\x04" + bytes(1000)),
    ("not_text", 1, b"\x1f\x8b\x08" + bytes(range(256)) * 4),
    ("not_text", 1, bytes(5000)),
    ("file_empty", 0, b""),
    ("few_examples", 0, b"".join(GOOD[:9])),
    ("few_advised", 0, b"".join(GOOD[:49])),
]


@pytest.mark.parametrize(
    ("code", "line", "content"), WHOLE, ids=lambda value: value if isinstance(value, str) else None
)
def test_what_is_wrong_with_the_whole_file_is_told_once(tmp_path: Path, code: str, line: int, content: bytes) -> None:
    assert checked(tmp_path, content) == [(line, code)]


def test_an_object_over_several_lines_is_told_on_each(tmp_path: Path) -> None:
    pretty = json.dumps(json.loads(GOOD[0]), indent=2).encode()
    found = checked(tmp_path, with_line(pretty))
    assert found[0] == (30, "unfinished")
    assert all(30 <= line < 30 + len(pretty.splitlines()) for line, _ in found)


def test_ten_examples_are_enough_and_fifty_need_no_advice(tmp_path: Path) -> None:
    assert checked(tmp_path, b"".join(GOOD[:10])) == [(0, "few_advised")]
    assert checked(tmp_path, b"".join(GOOD[:50])) == []


def test_windows_line_ends_are_no_fault(tmp_path: Path) -> None:
    assert checked(tmp_path, b"".join(GOOD).replace(b"\n", b"\r\n")) == []


def test_a_path_that_is_no_file_says_so(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.jsonl", "file_missing"), (tmp_path, "file_directory")):
        (problem,), summary = found_in(path)
        assert (problem.line, problem.code, problem.severity) == (0, code, "error")
        assert path.name in problem.said("es")
        assert summary == Summary(0, 1, 0)
    (problem,), _ = found_in(Path("/dev/null"))
    assert problem.code == "file_not_regular"
    (problem,), _ = found_in(Path("a\0b"))
    assert problem.severity == "error"


def test_a_file_over_the_limit_is_told_and_read_on(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"".join(plain_rows(200)))
    with path.open("r+b") as file:  # a hole: no such bytes on the disk
        file.truncate(512_000_001)
    codes = [one.code for one in found_in(path)[0]]
    assert codes[0] == "file_too_large"
    assert "line_too_long" in codes[1:]
    assert "file_too_large" not in [one.code for one in found_in(path, "trl-messages")[0]]
