"""No false alarm on what is valid, no traceback whatever the bytes, memory flat; limits, numbers, overlaps."""

from __future__ import annotations

import json
import random
import string
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.generated import TOOLS, example, plain_rows
from tests.tuning.test_checking_lines import found_in
from tests.tuning.test_checking_rows import CLOCK, GOOD, SAID, TRL, USER
from tuning.checking import Limits, Problem, Summary, check
from tuning.checking.limits import bounds
from tuning.checking.rows.table import RULES
from tuning.checking.sentences import SAYINGS
from tuning.formats import FORMATS, Refused, line

Row = dict[str, Any]


def saved(path: Path, rows: list[Row]) -> Path:
    path.write_bytes(b"".join(map(line, rows)))
    return path


def codes(path: Path, name: str, **more: Any) -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in check(path, name, **more) if isinstance(one, Problem)]


# what is valid


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_writes_has_no_errors(tmp_path: Path, name: str) -> None:
    rows: list[Row] = []
    for seed in range(400):
        try:
            rows += FORMATS[name].write(example(seed, *FORMATS[name].kinds)).rows
        except Refused:
            continue
    problems, summary = found_in(saved(tmp_path / "train.jsonl", rows), name)
    assert [one.row() for one in problems if one.severity == "error"] == []
    assert {one.code for one in problems} <= {"blank_text", "sides", "prompt_end"}
    assert summary == Summary(len(rows), 0, len(problems))


IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}
TWO_CALLS = [
    {"id": f"c{at}", "type": "function", "function": {"name": "clock", "arguments": '{"zone": "UTC"}'}} for at in (1, 2)
]
VALID: list[Row] = [
    {"messages": [USER, SAID]},
    {"messages": [{"role": "system", "content": "Responde en español. ¡Ya! 👩‍👩‍👧‍👦 ñ \u2028"}, USER, SAID]},
    {"messages": [USER, SAID | {"weight": 0}, USER, SAID | {"weight": 1}]},
    {"messages": [USER, SAID | {"weight": 0}, USER, SAID]},
    {"messages": [USER | {"name": "Ana"}, SAID | {"name": "Marv"}]},
    {"messages": [USER, {"role": "assistant", "content": None, "refusal": "I cannot help with that."}]},
    {"messages": [USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]}, SAID]},
    {"messages": [USER, {"role": "assistant", "tool_calls": TWO_CALLS[:1]}], "tools": [CLOCK]},
    {
        "messages": [
            USER,
            {"role": "assistant", "content": "", "tool_calls": TWO_CALLS, "weight": 0},
            {"role": "tool", "tool_call_id": "c2", "content": ""},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "12:00"}]},
            SAID,
        ],
        "tools": [CLOCK, *TOOLS[1:]],
        "parallel_tool_calls": True,
    },
    {
        "messages": [
            USER,
            {"role": "assistant", "function_call": {"name": "clock", "arguments": "{}"}},
            {"role": "function", "name": "clock", "content": "12:00"},
            SAID,
        ],
        "functions": [CLOCK["function"]],
    },
    {"messages": [USER, {"role": "assistant", "content": "Ω" * 50_000}]},
    {
        "messages": [
            USER,
            {"role": "assistant", "content": '"a\\u", a < b, <s>struck</s>, {"x": NaN}, <p>|</p>, 2 <| 3'},
        ]
    },
    {"messages": [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, USER, SAID]},
    {"messages": [USER] * 50 + [SAID]},
]


@pytest.mark.parametrize("spelled", ["as it is", "in ASCII", "spaced"])
def test_a_valid_set_raises_no_alarm(tmp_path: Path, spelled: str) -> None:
    ways: dict[str, Callable[[Row], str]] = {
        "as it is": lambda row: json.dumps(row, ensure_ascii=False),
        "in ASCII": json.dumps,
        "spaced": lambda row: " " + json.dumps(row, separators=(" ,\t", " : ")) + " ",
    }
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(map(ways[spelled], VALID * 4)) + "\n", encoding="utf-8")
    assert codes(path, "openai") == []


# whatever the bytes


def _mutated(chance: random.Random, content: bytes) -> bytes:
    """A few bytes changed, cut, repeated or put in."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(5):
            case 0:
                made[at:at] = bytes(chance.choices(range(256), k=chance.randint(1, 4)))
            case 1:
                del made[at : at + chance.randint(1, 60)]
            case 2:
                made[at:at] = made[at // 2 : at // 2 + chance.randint(1, 60)]
            case 3:
                made[at:at] = chance.choice(
                    (b"\n", b'"', b"{", b"}", b"[", b",", b"\\", b"\\ud800", b"\xef\xbb\xbf", b"NaN")
                )
            case _:
                made[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(made)


ODD = (
    None,
    True,
    0,
    -1.5,
    10**400,
    "",
    "x",
    [],
    {},
    [[]],
    {"role": []},
    [None],
    {"a": {"b": [1]}},
    "\ud800",
    "{}",
    {"": {}},
)


def _swapped(chance: random.Random, value: Any) -> Any:
    """JSON of the same shape with one value, at any depth, replaced by another."""
    if chance.random() < 0.15 or not value or not isinstance(value, dict | list):
        return chance.choice(ODD)
    if isinstance(value, list):
        at = chance.randrange(len(value))
        return [*value[:at], _swapped(chance, value[at]), *value[at + 1 :]]
    name = chance.choice(list(value))
    if chance.random() < 0.2:
        return {
            chance.choice(("\ud83d", "role", "a.b", " ")) if one == name else one: inner for one, inner in value.items()
        }
    return value | {name: _swapped(chance, value[name])}


def _survives(path: Path, name: str) -> None:
    *problems, summary = check(
        path, name, limits=Limits(tokens=5, asked=3, answered=3), validation=path.parent / "v.jsonl"
    )
    assert isinstance(summary, Summary)
    for one in problems:
        assert isinstance(one, Problem)
        for language in ("en", "es"):
            assert f"{one.field} {one.said(language)} {one.mended(language)}".encode()
        assert json.dumps(one.row())
    counted = [one.severity for one in problems if isinstance(one, Problem)]
    assert (summary.errors, summary.warnings) == (counted.count("error"), counted.count("warning"))


@pytest.mark.parametrize("name", [*RULES, "trl"])
def test_no_bytes_and_no_values_bring_it_down(tmp_path: Path, name: str) -> None:
    good = GOOD.get(name, TRL)
    lines = json.dumps(good, ensure_ascii=False).encode() + b"\n"
    path = tmp_path / "train.jsonl"
    saved(tmp_path / "v.jsonl", [good, {"other": 1}])
    for seed in range(100):
        chance = random.Random(f"{name} {seed}")
        path.write_bytes(_mutated(chance, lines * 3))
        _survives(path, name)
        rows = [json.dumps(_swapped(chance, _swapped(chance, good))) for _ in range(4)]
        path.write_text("\n".join(rows), encoding="utf-8")
        _survives(path, name)


def test_a_row_nested_as_deep_as_json_can_be_read_is_only_told(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    for depth in (100, 400, 900, 990, 2000):
        inner = '{"a":' * depth + "1" + "}" * depth
        tool = '{"type": "function", "function": {"name": "a", "parameters": %s}}' % (
            '{"items":' * depth + "1" + "}" * depth
        )
        path.write_text(f'{{"messages": {inner}, "a": NaN, "tools": [{tool}]}}\n' * 2, encoding="utf-8")
        for name in ("openai", "vertex", "afina", "sharegpt"):
            found, summary = found_in(path, name)
            assert summary.rows == 2
            assert found


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.jsonl"
        path.write_bytes(b"".join(plain_rows(count)))
        tracemalloc.start()
        for _ in check(path, "openai"):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)  # whatever is loaded once
    few, many = peak(1_000), peak(30_000)
    assert many < few + 50_000  # bytes; the file has 13 million


# numbers and limits


def test_over_ten_thousand_examples_are_too_many_for_vertex_unless_the_model_takes_more(tmp_path: Path) -> None:
    path = saved(tmp_path / "train.jsonl", [GOOD["vertex"]] * 10_001)
    assert codes(path, "vertex") == [(0, "many_examples")]
    assert codes(path, "vertex", limits=Limits(examples=1_000_000)) == []
    assert codes(path, "vertex", limits=Limits(examples=10_001)) == []


def test_what_a_provider_takes_is_dated_and_has_a_source() -> None:
    assert (bounds("openai").least, bounds("openai").advised, bounds("openai").functions) == (10, 50, 128)
    for one in (bounds("openai"), bounds("vertex"), bounds("local")):
        assert one.date >= "2026-11-01"
        assert one.source


@pytest.mark.parametrize(
    ("name", "limits", "row", "part"),
    [
        ("openai", Limits(tokens=20), {"messages": [USER, SAID]}, "The example"),
        ("openai", Limits(asked=10), {"messages": [USER, SAID]}, "The prompt"),
        ("openai-preference", Limits(answered=5), GOOD["openai-preference"], "The answer"),
        ("prompt-completion", Limits(tokens=12), GOOD["prompt-completion"], "The example"),
        ("vertex", Limits(asked=10), GOOD["vertex"], "The prompt"),
        ("vertex-preference", Limits(answered=5), GOOD["vertex-preference"], "The answer"),
        ("trl-messages", Limits(answered=5), GOOD["trl-messages"], "The answer"),
        ("trl-kto", Limits(answered=5), GOOD["trl-kto"], "The answer"),
        ("trl-preference", Limits(asked=5), GOOD["trl-preference"], "The prompt"),
        ("trl-text", Limits(tokens=5), GOOD["trl-text"], "The example"),
        ("sharegpt", Limits(tokens=3), GOOD["sharegpt"], "The example"),
        ("afina", Limits(tokens=3), GOOD["afina"], "The example"),
    ],
)
def test_an_example_over_the_models_limit_is_an_error_when_counted_and_a_warning_by_the_rule(
    tmp_path: Path, name: str, limits: Limits, row: Row, part: str
) -> None:
    path = saved(tmp_path / "train.jsonl", [row])
    (counted,) = [one for one in found_with(path, name, limits, count=len) if one.code == "too_long"]
    assert (counted.line, counted.severity) == (1, "error")
    assert counted.said().startswith(part)
    assert "gpt-3.5" in counted.said("es")
    assert not [one for one in found_with(path, name, limits, count=lambda text: 0) if one.code == "too_long"]
    (ruled,) = [one for one in found_with(path, name, Limits(tokens=1)) if one.code == "maybe_too_long"]
    assert ruled.severity == "warning"


def found_with(path: Path, name: str, limits: Limits, **more: Any) -> list[Problem]:
    found = check(path, name, model="gpt-3.5", limits=limits, **more)
    return [one for one in found if isinstance(one, Problem)]


def test_the_limits_of_the_notes_stop_at_the_token_after_the_last(tmp_path: Path) -> None:
    """16,385 for gpt-3.5-turbo-0125, 1,024 for an answer of text-bison: the last token fits, the next does not."""
    for limits, letters in ((Limits(tokens=16_385), 16_385), (Limits(answered=1_024), 1_024)):
        for over, wanted in ((0, []), (1, [(1, "too_long")])):
            row = {"prompt": "", "completion": "a" * (letters + over)}
            path = saved(tmp_path / "train.jsonl", [row])
            found = codes(path, "prompt-completion", limits=limits, count=len)
            assert [one for one in found if one[1] == "too_long"] == wanted


# training and validation


def test_a_row_that_is_also_in_validation_is_told_with_both_lines_however_it_is_spelled(tmp_path: Path) -> None:
    rows = [json.loads(row) for row in plain_rows(80)]
    train = saved(tmp_path / "train.jsonl", rows[:60])
    other = tmp_path / "validation.jsonl"
    backwards = {"messages": [dict(reversed(message.items())) for message in rows[41]["messages"]]}
    other.write_text("\n".join([*(json.dumps(row) for row in rows[60:]), json.dumps(backwards, indent=None)]))
    (problem,) = [one for one in check(train, "openai", validation=other) if isinstance(one, Problem)]
    assert (problem.line, problem.code, problem.values) == (42, "in_validation", {"other": 21})


def test_training_that_is_its_own_validation_is_told_once(tmp_path: Path) -> None:
    train = tmp_path / "train.jsonl"
    train.write_bytes(b"".join(plain_rows(60)))
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(train.read_bytes())
    assert codes(train, "openai", validation=train) == [(0, "same_as_validation")]
    assert codes(train, "openai", validation=copy) == [(0, "same_as_validation")]


def test_the_same_rows_in_another_order_are_the_same_set(tmp_path: Path) -> None:
    rows = plain_rows(60)
    train, other = tmp_path / "train.jsonl", tmp_path / "validation.jsonl"
    train.write_bytes(b"".join(rows))
    other.write_bytes(b"".join(reversed(rows)))
    found = codes(train, "openai", validation=other)
    assert found == [*((at, "in_validation") for at in range(1, 61)), (0, "same_as_validation")]


def test_a_validation_file_that_is_not_there_or_has_bad_lines_does_not_stop_the_check(tmp_path: Path) -> None:
    train, other = tmp_path / "train.jsonl", tmp_path / "validation.jsonl"
    train.write_bytes(b"".join(plain_rows(60)))
    assert codes(train, "openai", validation=other) == [(0, "file_missing")]
    other.write_bytes(b"\n{\n" + plain_rows(60)[7] + b"null\n\xff")
    assert codes(train, "openai", validation=other) == [(8, "in_validation")]


# names


def test_trl_is_whichever_of_its_formats_the_rows_look_like(tmp_path: Path) -> None:
    for name in (one for one in RULES if one.startswith("trl-")):
        path = saved(tmp_path / "train.jsonl", [GOOD[name]] * 3)
        assert codes(path, "trl") == codes(path, name)
    path = saved(tmp_path / "train.jsonl", [{"prompt": "q", "completion": ""}, {"text": "a"}])
    assert (1, "messages_missing") in codes(path, "trl")  # of no one format: each is told
    path = saved(tmp_path / "train.jsonl", [{"prompt": "q", "completion": ""}])
    assert codes(path, "trl") == [(1, "empty_text")]


def test_likes_alone_teach_nothing_and_that_is_said(tmp_path: Path) -> None:
    path = saved(tmp_path / "train.jsonl", [GOOD["trl-kto"]] * 3)
    assert codes(path, "trl-kto") == [(0, "labels_one_sided")]


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"choose one of openai, .*, trl") as refused:
        check(tmp_path / "none.jsonl", "alpaca")
    assert "elige uno de" in refused.value.said("es")  # type: ignore[attr-defined]


def test_every_format_has_its_rules() -> None:
    assert RULES.keys() == FORMATS.keys()


def test_every_sentence_and_what_to_do_name_the_same_things_in_both_languages() -> None:
    def names(text: str) -> set[str]:
        return {(name or "").removesuffix("_es") for _, name, _, _ in string.Formatter().parse(text)} - {""}

    for code, (severity, english, spanish, mend, remedio) in SAYINGS.items():
        assert severity in ("error", "warning"), code
        assert names(english) == names(spanish), code
        assert names(mend) == names(remedio), code
        assert english.endswith(".")
        assert english != spanish


def test_a_problem_as_json_has_what_the_command_line_promises(tmp_path: Path) -> None:
    path = saved(tmp_path / "train.jsonl", [{"messages": []}] * 60)
    first = next(check(path, "openai"))
    assert isinstance(first, Problem)
    assert first.row("es").keys() == {"line", "field", "code", "severity", "message", "mend"}
    assert first.row()["message"] == "The list of messages is empty."
