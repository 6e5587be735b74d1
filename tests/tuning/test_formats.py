"""What is written is read back as it was, but for what was named as lost; nothing is skipped in silence."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest

from tests.tuning.generated import TOOLS, example
from tests.tuning.test_values import MARV, answer
from tuning.formats import FORMATS, BadRow, Format, Refused, Written, detect, find, line, sentences
from tuning.formats.trl import liked
from tuning.rows import Row
from tuning.values import Answer, Call, Example, Kind, Role, Turn, conversation, pairs, preference

SEEDS = range(300)
USER, ASSISTANT, SYSTEM, TOOL = Role.USER, Role.ASSISTANT, Role.SYSTEM, Role.TOOL
ASKED = Turn(USER, "¿Qué hora es?")
SAID = Turn(ASSISTANT, "Las doce.")
CALLED = (
    ASKED,
    Turn(ASSISTANT, calls=(Call("clock", '{"zone": "UTC"}', "c1"), Call("clock", '{"zone": "CET"}', "c2"))),
    Turn(TOOL, "12:00", call_id="c1", name="clock"),
    Turn(TOOL, "13:00", call_id="c2", name="clock"),
    SAID,
)


def through_a_file(written: Written) -> list[Row]:
    return [json.loads(line(row)) for row in written.rows]


def all_written(form: Format, *kinds: Kind) -> list[tuple[Example, Written]]:
    made, refused = [], 0
    for seed in SEEDS:
        one = example(seed, *(kinds or form.kinds))
        try:
            made.append((one, form.write(one)))
        except Refused:
            refused += 1
    assert len(made) > len(SEEDS) / 4, f"{refused} refused"
    return made


# What a loss allows to differ: applied to both sides before they are compared.


def _each_turn(change: Callable[[Turn], Turn]) -> Callable[[Example], Example]:
    def changed(one: Example) -> Example:
        answers = tuple(replace(a, turns=tuple(map(change, a.turns))) for a in one.answers)
        return replace(one, turns=tuple(map(change, one.turns)), answers=answers)

    return changed


def _respelled(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def _one_a_side(one: Example) -> Example:
    turns: list[Turn] = []
    for turn in one.turns:
        last = turns[-1] if turns else None
        if last and last.role is turn.role and turn.role in (USER, ASSISTANT):
            text = "\n".join(text for text in (last.text, turn.text) if text)
            turns[-1] = replace(last, text=text, calls=last.calls + turn.calls, learn=last.learn and turn.learn)
        else:
            turns.append(turn)
    return replace(one, turns=tuple(turns))


def _bare_tools(one: Example) -> Example:
    kept = ("name", "description", "parameters")
    return replace(
        one,
        tools=tuple(
            {"type": "function", "function": {k: v for k, v in tool["function"].items() if k in kept}}
            for tool in one.tools
        ),
    )


def _tools_sorted(one: Example) -> Example:
    turns: list[Turn] = []
    for role, group in groupby(one.turns, key=lambda turn: turn.role):
        some = list(group)
        turns += sorted(some, key=repr) if role is TOOL else some
    return replace(one, turns=tuple(turns))


ALLOWS: dict[str, Callable[[Example], Example]] = {
    "tags": lambda one: replace(one, tags=()),
    "provenance": lambda one: replace(one, source=example(0).source),
    "scores": lambda one: replace(one, answers=tuple(replace(a, scores={}) for a in one.answers)),
    "masks": _each_turn(lambda turn: replace(turn, learn=True)),
    "turns": _one_a_side,
    "names": _each_turn(lambda turn: turn if turn.role is TOOL else replace(turn, name="")),
    "tool_names": _each_turn(lambda turn: replace(turn, name="") if turn.role is TOOL else turn),
    "call_ids": _each_turn(
        lambda turn: replace(turn, call_id="", calls=tuple(replace(call, id="") for call in turn.calls))
    ),
    "spelling": _each_turn(
        lambda turn: replace(
            turn,
            text=_respelled(turn.text) if turn.role is TOOL else turn.text,
            calls=tuple(replace(call, arguments=_respelled(call.arguments)) for call in turn.calls),
        )
    ),
    "tool_fields": _bare_tools,
    "tool_order": _tools_sorted,  # last, when what else differs is gone
}


def assert_the_same(found: Example, wanted: Example, written: Written) -> None:
    for code in (code for code in ALLOWS if code in {loss.code for loss in written.lost}):
        found, wanted = ALLOWS[code](found), ALLOWS[code](wanted)
    assert found == wanted


def assert_nothing_is_named_in_vain(found: Example, wanted: Example, written: Written) -> None:
    named = {loss.code for loss in written.lost} & ALLOWS.keys()
    if "turns" in named:  # what differs inside a turn that was joined to another does not show
        return
    for kept in named - {"tool_order"}:  # nor does the order of equal answers
        before, after = found, wanted
        for code in (code for code in ALLOWS if code in named - {kept}):
            before, after = ALLOWS[code](before), ALLOWS[code](after)
        assert before != after, kept


@pytest.mark.parametrize("name", ["openai", "vertex", "trl-messages", "sharegpt"])
def test_a_conversation_comes_back_but_for_what_was_named(name: str) -> None:
    for one, written in all_written(FORMATS[name], Kind.CONVERSATION):
        (row,) = through_a_file(written)
        assert_the_same(FORMATS[name].read(row), one, written)
        assert_nothing_is_named_in_vain(FORMATS[name].read(row), one, written)
        assert detect([row]) in (name, "openai")  # plain messages are OpenAI's and TRL's alike


@pytest.mark.parametrize("name", ["openai-preference", "trl-preference", "vertex-preference", "sharegpt"])
def test_preferences_come_back_the_preferred_first(name: str) -> None:
    for one, written in all_written(FORMATS[name], Kind.PREFERENCE, Kind.RANKING):
        found, wanted = [FORMATS[name].read(row) for row in through_a_file(written)], list(pairs(one))
        assert len(found) == len(wanted)
        assert ("ranking" in {loss.code for loss in written.lost}) == (one.kind is Kind.RANKING)
        for back, pair in zip(found, wanted, strict=True):
            assert_the_same(back, pair, written)
        assert detect(through_a_file(written)) == name


@pytest.mark.parametrize("name", ["afina", "trl-text", "prompt-completion"])
def test_text_comes_back_whole(name: str) -> None:
    for one, written in all_written(FORMATS[name], Kind.TEXT):
        (row,) = through_a_file(written)
        assert_the_same(FORMATS[name].read(row), one, written)
        assert detect([row]) == name


def test_our_own_rows_lose_nothing() -> None:
    for one, written in all_written(FORMATS["afina"]):
        assert written.lost == ()
        assert [FORMATS["afina"].read(row) for row in through_a_file(written)] == [one]
        assert detect(written.rows) == "afina"


def test_likes_come_back_as_likes() -> None:
    for one, written in all_written(FORMATS["trl-kto"], Kind.SCORE):
        (row,) = through_a_file(written)
        back = FORMATS["trl-kto"].read(row)
        assert_the_same(back, one, written)
        assert back.answers[0].scores == {"like": float(row["label"])}
        assert detect([row]) == "trl-kto"


def test_exactly_the_turns_that_are_learned_carry_loss_as_prompt_and_completion() -> None:
    for one, written in all_written(FORMATS["trl-prompt-completion"], Kind.CONVERSATION):
        learned = [at for at, turn in enumerate(one.turns) if turn.role is ASSISTANT and turn.learn]
        found = [FORMATS["trl-prompt-completion"].read(row) for row in through_a_file(written)]
        assert [len(back.turns) - 1 for back in found] == learned
        for back, at in zip(found, learned, strict=True):
            *before, last = back.turns
            assert last.learn
            assert not any(turn.learn for turn in before if turn.role is ASSISTANT)
            masked = replace(one, turns=one.turns[: at + 1])
            assert_the_same(ALLOWS["masks"](back), ALLOWS["masks"](masked), written)
        assert ("split" in {loss.code for loss in written.lost}) == (learned != [len(one.turns) - 1])


def test_each_learned_answer_is_a_completion_and_a_single_exchange_comes_back() -> None:
    form = FORMATS["prompt-completion"]
    for one, written in all_written(form, Kind.CONVERSATION):
        learned = [turn.text for turn in one.turns if turn.role is ASSISTANT and turn.learn]
        assert [row["completion"] for row in written.rows] == learned
        if len(one.turns) == 2:
            assert_the_same(form.read(written.rows[0]), one, written)
        else:
            assert "roles" in {loss.code for loss in written.lost}


@pytest.mark.parametrize("name", FORMATS)
def test_a_ranking_or_preference_is_taken_or_refused_with_both_languages(name: str) -> None:
    ranked = Example(Kind.RANKING, MARV, (answer("one", 2), answer("two", 1), answer("three", 3)))
    form = FORMATS[name]
    if Kind.RANKING not in form.kinds:
        with pytest.raises(Refused) as refused:
            form.write(ranked)
        assert name in refused.value.said("es")
        return
    written = form.write(ranked)
    if "preference" in name or name == "sharegpt":
        assert len(written.rows) == 3
    assert all(json.loads(line(row)) == row for row in written.rows)


def test_the_marv_sample_as_openai_writes_it() -> None:
    rows = FORMATS["openai"].write(conversation(*MARV, Turn(ASSISTANT, "Paris, as if nobody knew."))).rows
    assert rows == (
        {
            "messages": [
                {"role": "system", "content": MARV[0].text},
                {"role": "user", "content": MARV[1].text},
                {"role": "assistant", "content": "Paris, as if nobody knew."},
            ]
        },
    )


def test_a_mask_is_weight_zero_on_the_assistants_message_alone() -> None:
    masked = conversation(ASKED, replace(SAID, learn=False), ASKED, SAID)
    (row,) = FORMATS["openai"].write(masked).rows
    assert [message.get("weight") for message in row["messages"]] == [None, 0, None, None]


def test_calls_without_ids_get_ids_that_their_answers_name_and_that_is_said() -> None:
    bare = conversation(
        *(replace(turn, call_id="", calls=tuple(replace(call, id="") for call in turn.calls)) for turn in CALLED),
        tools=TOOLS,
    )
    written = FORMATS["openai"].write(bare)
    messages = written.rows[0]["messages"]
    assert [call["id"] for call in messages[1]["tool_calls"]] == ["call_1", "call_2"]
    assert [message["tool_call_id"] for message in messages[2:4]] == ["call_1", "call_2"]
    assert {loss.code for loss in written.lost} == {"call_ids"}


def test_answers_out_of_order_keep_the_ids_of_their_calls_where_there_are_ids() -> None:
    asked, called, first, second, said = CALLED
    swapped = conversation(asked, called, second, first, said)
    written = FORMATS["openai"].write(swapped)
    assert [message["tool_call_id"] for message in written.rows[0]["messages"][2:4]] == ["c2", "c1"]
    assert written.lost == ()
    written = FORMATS["sharegpt"].write(swapped)
    assert [entry["value"] for entry in written.rows[0]["conversations"][2:4]] == ["12:00", "13:00"]
    assert "tool_order" in {loss.code for loss in written.lost}


def test_a_name_is_kept_as_openai_spells_names_and_else_named_as_lost() -> None:
    for name, kept in (("Ana-2", True), ("José Luis", False)):
        written = FORMATS["openai"].write(conversation(replace(ASKED, name=name), SAID))
        assert (written.rows[0]["messages"][0].get("name") == name) is kept
        assert [loss.code for loss in written.lost] == ([] if kept else ["names"])


def test_a_tool_that_answers_late_stands_after_what_was_said_meanwhile_on_vertex() -> None:
    asked, called, first, second, said = CALLED
    late = conversation(asked, called, first, Turn(USER, "And?"), second, said)
    (row,) = FORMATS["vertex"].write(late).rows
    assert [turn.text for turn in FORMATS["vertex"].read(row).turns] == [turn.text for turn in late.turns]


@pytest.mark.parametrize(
    ("scores", "label"),
    [
        ({"like": 1.0}, True),
        ({"like": 0.0, "voice": 1.0}, False),
        ({"voice": 0.6}, True),
        ({"voice": 0.9, "facts": 0.0}, False),
        ({"voice": 0.5}, None),
        ({"stars": 5.0}, None),
        ({}, None),
    ],
)
def test_a_like_decides_else_the_mean_of_scores_from_0_to_1(scores: dict[str, float], label: bool | None) -> None:
    assert liked(Answer((SAID,), scores=scores)) is label


def test_parallel_answers_of_tools_share_one_content_and_sides_alternate_on_vertex() -> None:
    (row,) = FORMATS["vertex"].write(conversation(*CALLED, tools=TOOLS[:2])).rows
    assert [content["role"] for content in row["contents"]] == ["user", "model", "user", "model"]
    assert [part["functionResponse"]["response"] for part in row["contents"][2]["parts"]] == [
        {"output": "12:00"},
        {"output": "13:00"},
    ]


def test_a_ranking_of_three_gives_the_best_and_the_worst_as_likes_and_names_the_middle() -> None:
    written = FORMATS["trl-kto"].write(
        Example(Kind.RANKING, MARV, (answer("one", 2), answer("two", 1), answer("three", 3)))
    )
    assert [(row["completion"][0]["content"], row["label"]) for row in written.rows] == [
        ("two", True),
        ("three", False),
    ]
    assert {(loss.code, loss.field) for loss in written.lost} == {("likes", "answers"), ("middle", "answers[0]")}


REFUSALS: dict[str, tuple[str, Example]] = {
    "kind": ("trl-text", conversation(ASKED, SAID)),
    "no_answer": ("openai", conversation(ASKED, SAID, ASKED)),
    "nothing_learned": ("vertex", conversation(ASKED, replace(SAID, learn=False))),
    "empty_turn": ("sharegpt", conversation(Turn(USER, ""), SAID)),
    "no_pairs": ("openai-preference", Example(Kind.RANKING, MARV, (answer("a", 1), answer("b", 1)))),
    "same_answers": ("trl-preference", preference(MARV, answer("a"), answer("a"))),
    "several_turns": ("openai-preference", preference(MARV, Answer((SAID, SAID)), answer("b"))),
    "prompt_end": ("vertex-preference", preference((*MARV, SAID), answer("a"), answer("b"))),
    "orphan": ("openai", conversation(ASKED, Turn(TOOL, "12:00"), SAID)),
    "tool_calls": ("prompt-completion", conversation(*CALLED)),
    "arguments": ("vertex", conversation(ASKED, Turn(ASSISTANT, calls=(Call("clock", "noon"),)))),
    "system_inside": ("vertex", conversation(ASKED, SAID, Turn(SYSTEM, "Be brief."), SAID)),
    "unclear": ("trl-kto", Example(Kind.SCORE, MARV, (Answer((SAID,), scores={"stars": 4.0}),))),
    "no_rows": ("trl-prompt-completion", conversation(SAID)),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_a_format_cannot_hold_is_refused_with_its_reason(code: str) -> None:
    name, one = REFUSALS[code]
    with pytest.raises(Refused) as refused:
        FORMATS[name].write(one)
    assert refused.value.code == code
    assert refused.value.said("en") != refused.value.said("es")


def test_half_a_character_is_in_no_file() -> None:
    with pytest.raises(Refused, match="half a character"):
        line({"text": "\ud83d"})
    with pytest.raises(Refused, match="infinite"):
        line({"text": float("nan")})


def test_an_answer_without_a_rank_is_neither_the_best_nor_the_worst() -> None:
    some = Example(Kind.RANKING, MARV, (answer("not ranked"), answer("good", 1), answer("bad", 2)))
    for name, count in (("openai", 1), ("trl-preference", 1), ("trl-kto", 2)):
        written = FORMATS[name].write(some)
        assert len(written.rows) == count
        assert "not ranked" not in json.dumps(written.rows)
        assert "unranked" in {loss.code for loss in written.lost}


BAD_ROWS: list[tuple[str, Row, str]] = [
    ("openai", {}, "messages"),
    ("openai", {"messages": "hi"}, "messages"),
    ("openai", {"messages": ["hi"]}, "messages[0]"),
    ("openai", {"messages": [{"role": ["user"], "content": "hi"}]}, "messages[0].role"),
    ("openai", {"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ("openai", {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
    ("openai", {"messages": [{"role": "assistant", "content": "a", "weight": True}]}, "messages[0].weight"),
    ("openai", {"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0]"),
    ("openai", {"messages": [], "tools": 3}, "tools"),
    ("openai-preference", {"input": {"messages": []}, "preferred_output": []}, "preferred_output"),
    ("prompt-completion", {"prompt": "a"}, "completion"),
    ("vertex", {"contents": [{"role": "system", "parts": []}]}, "contents[0].role"),
    ("vertex", {"contents": [{"role": "user", "parts": [{"fileData": {}}]}]}, "contents[0].parts[0]"),
    ("vertex", {"contents": [{"role": "model", "parts": [{"functionCall": {}}]}]}, "contents[0].parts[0]"),
    ("vertex-preference", {"contents": [], "completions": []}, "completions"),
    ("trl-preference", {"prompt": [], "chosen": [], "rejected": [{"role": "user"}]}, "chosen"),
    ("trl-kto", {"prompt": "a", "completion": "b", "label": 1}, "label"),
    ("trl-text", {"text": None}, "text"),
    ("sharegpt", {"conversations": [{"from": "nobody", "value": "a"}]}, "conversations[0].from"),
    ("sharegpt", {"conversations": [{"from": "function_call", "value": "a"}]}, "conversations[0].value"),
    ("afina", {"kind": "conversation", "turns": [{"role": "user", "weight": 1}]}, "turns.0.weight"),
]


@pytest.mark.parametrize(("name", "row", "field"), BAD_ROWS, ids=lambda value: str(value)[:40])
def test_a_bad_row_says_which_field_in_both_languages(name: str, row: Row, field: str) -> None:
    with pytest.raises(BadRow) as bad:
        FORMATS[name].read(row)
    assert bad.value.field.startswith(field)
    assert bad.value.said("en")
    assert bad.value.said("es")


def test_older_and_foreign_spellings_are_read() -> None:
    older = {
        "functions": [{"name": "clock"}],
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": None, "function_call": {"name": "clock", "arguments": "{}"}},
            {"role": "function", "name": "clock", "content": "12:00"},
            {"role": "assistant", "content": None, "refusal": "No."},
        ],
    }
    assert FORMATS["openai"].read(older) == conversation(
        Turn(SYSTEM, "a\nb"),
        Turn(ASSISTANT, calls=(Call("clock"),)),
        Turn(TOOL, "12:00", name="clock"),
        Turn(ASSISTANT, "No."),
        tools=({"type": "function", "function": {"name": "clock"}},),
    )
    implicit = {"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    implicit["rejected"] = [implicit["chosen"][0], {"role": "assistant", "content": "b"}]
    assert FORMATS["trl-preference"].read(implicit) == preference((Turn(USER, "q"),), answer("a"), answer("b"))
    assert FORMATS["trl-prompt-completion"].read({"prompt": "q", "completion": "a"}) == conversation(
        Turn(USER, "q"), Turn(ASSISTANT, "a")
    )
    assert FORMATS["sharegpt"].read(
        {"system": "s", "conversations": [{"from": "user", "value": "q"}, {"role": "assistant", "content": "a"}]}
    ) == conversation(Turn(SYSTEM, "s"), Turn(USER, "q"), Turn(ASSISTANT, "a"))
    declared = {"function_declarations": [{"name": "clock", "parameters": {"type": "OBJECT"}}]}
    found = FORMATS["vertex"].read(
        {"system_instruction": {"parts": [{"text": "s"}]}, "contents": [], "tools": [declared]}
    )
    assert found.system == "s"
    assert found.tools[0]["function"]["parameters"] == {"type": "object"}


def test_rows_that_fit_nothing_are_detected_as_nothing() -> None:
    assert detect([]) is None
    assert detect([{"instruction": "a", "output": "b"}]) is None
    assert detect([{"text": "a"}, {"messages": []}]) is None
    assert detect([{"prompt": "a", "completion": "b"}]) == "prompt-completion"
    assert detect([{"messages": [{"role": "tool", "name": "clock", "content": "12:00"}]}]) == "trl-messages"


ODD = (None, True, -1.5, "", "x", [], {}, [[]], {"role": []}, [None], {"a": {"b": [1]}}, "\ud800", "{}", {"": {}})


def _swapped(chance: random.Random, value: Any) -> Any:
    """JSON of the same shape with one value, at any depth, replaced by another."""
    if chance.random() < 0.15 or not value or not isinstance(value, dict | list):
        return chance.choice(ODD)
    if isinstance(value, list):
        at = chance.randrange(len(value))
        return [*value[:at], _swapped(chance, value[at]), *value[at + 1 :]]
    name = chance.choice(list(value))
    return {one: inner for one, inner in value.items() if one != name} | (
        {} if chance.random() < 0.2 else {name: _swapped(chance, value[name])}
    )


@pytest.mark.parametrize("name", FORMATS)
def test_whatever_stands_in_a_row_it_is_read_or_told(name: str) -> None:
    form, told = FORMATS[name], 0
    good = [row for seed in range(40) for row in written_or_nothing(form, seed)]
    for seed in range(1_500):
        chance = random.Random(f"{name} {seed}")
        row = _swapped(chance, chance.choice(good))
        detect([row])
        try:
            form.read(row)
        except BadRow as bad:
            told += bool(bad.said("es"))
    assert told > 150


def written_or_nothing(form: Format, seed: int) -> tuple[Row, ...]:
    try:
        return form.write(example(seed, *form.kinds)).rows
    except Refused:
        return ()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(Exception, match=r"choose one of afina, .*trl-text") as unknown:
        find("alpaca")
    assert "elige uno de" in unknown.value.said("es")  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", [sentences.LOSSES, sentences.REASONS, sentences.ROWS], ids=["lost", "why", "rows"])
def test_every_sentence_names_the_same_things_in_both_languages(table: dict[str, tuple[str, str]]) -> None:
    def names(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text)}

    assert all(names(english) == names(spanish) for english, spanish in table.values())


def test_a_prompt_that_both_answers_repeat_is_kept_once() -> None:
    asked = [{"role": "user", "content": "Why?"}]
    sides = {
        name: [*asked, {"role": "assistant", "content": text}] for name, text in (("chosen", "a"), ("rejected", "b"))
    }
    example = FORMATS["trl-preference"].read({"prompt": asked, **sides})
    assert [turn.text for turn in example.turns] == ["Why?"]
    assert [[turn.text for turn in answer.turns] for answer in example.answers] == [["a"], ["b"]]
