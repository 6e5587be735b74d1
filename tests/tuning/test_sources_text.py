"""Tables and plain text in which people ask and are answered come in as examples, in English and in Spanish."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.exports import lines, written
from tuning.sources import Reading, Skipped, open_source
from tuning.values import Example, Kind

Read = Callable[..., tuple[list[Example], list[Skipped], Reading]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str | bytes | Path, **options: Any) -> tuple[list[Example], list[Skipped], Reading]:
        path = text if isinstance(text, Path) else tmp_path / "file"
        if not isinstance(text, Path):
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        reading = open_source(path, **options)
        found = list(reading)
        examples = [one for one in found if isinstance(one, Example)]
        return examples, [one for one in found if isinstance(one, Skipped)], reading

    return read


def texts(examples: list[Example]) -> list[list[str]]:
    return [list(one.texts) for one in examples]


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────

CELLS = [
    ["What, exactly, is 2 + 2?", 'It is "4".\n\nYes, four; really.'],
    ["¿Y 3 + 3?", "Seis\tjusto | sí 🙂"],
]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("names", [["question", "answer"], ["Pregunta", "Respuesta"], ["PROMPT", "completion"]])
def test_a_table_is_read_in_every_way_that_spreadsheets_write_one(
    read: Read, separator: str, encoding: str, names: list[str]
) -> None:
    table = io.StringIO()
    csv.writer(table, delimiter=separator).writerows([names, *CELLS])
    examples, skipped, reading = read(table.getvalue().encode(encoding))
    assert (texts(examples), skipped, reading.format) == (CELLS, [], "csv")
    assert [one.source.line for one in examples] == [2, 5]


def test_what_windows_writes_in_the_west_is_read(read: Read) -> None:
    examples, skipped, _ = read("pregunta;respuesta\n¿Qué?;Mañana, «así» — 5 €\n".encode("cp1252"))
    assert (texts(examples), skipped) == ([["¿Qué?", "Mañana, «así» — 5 €"]], [])


def test_letters_of_a_table_or_a_text_that_cannot_be_read_are_said(read: Read) -> None:
    good = "¿Qué?;Así es\n"
    table = ("pregunta;respuesta\n" + good * 3).encode() + good.encode("cp1252")
    text = ("P: ¿Qué?\nR: Así\n" * 3).encode() + "P: ¿Qué?\nR: Así\n".encode("cp1252")
    for data, line in ((table, 5), (text, 7)):
        examples, skipped, _ = read(data)
        assert (len(examples), [(one.line, one.code, one.whole) for one in skipped]) == (4, [(line, "replaced", False)])


def test_columns_are_found_by_name_wherever_they_stand(read: Read) -> None:
    table = "id,Respuesta correcta,respuesta,Sistema,instrucción,entrada\n7,no,Lima,Eres Marv.,Di la capital,Perú\n"
    (example,), _, _ = read(table)
    assert [(turn.role.value, turn.text) for turn in example.turns] == [
        ("system", "Eres Marv."),
        ("user", "Di la capital\n\nPerú"),
        ("assistant", "Lima"),
    ]


def test_a_table_of_better_and_worse_answers_is_preferences(read: Read) -> None:
    examples, (same,), _ = read("prompt,chosen,rejected\nCapital of Peru?,Lima,Quito\nOf Chile?,Same,Same\n")
    assert [[answer.text for answer in one.answers] for one in examples] == [["Lima", "Quito"]]
    assert (same.code, same.line) == ("same", 3)


def test_a_column_of_texts_is_text(read: Read) -> None:
    examples, _, _ = read("texto\nUna página.\nOtra.\n")
    assert [(one.kind, one.text) for one in examples] == [(Kind.TEXT, "Una página."), (Kind.TEXT, "Otra.")]


def test_a_table_in_markdown_is_a_table(read: Read) -> None:
    examples, skipped, _ = read("| Question | Answer |\n|:---|---:|\n| Who? | Me |\n")
    assert (texts(examples), skipped) == ([["Who?", "Me"]], [])


def test_rows_that_lack_something_are_named_by_line_and_the_others_read(read: Read) -> None:
    examples, skipped, _ = read("question,answer\nA,B\nonly one\n\n,no question\nC,\nD,E,more,and more\n")
    assert texts(examples) == [["A", "B"], ["D", "E"]]
    assert [(one.line, one.code) for one in skipped] == [(3, "columns"), (5, "cell"), (6, "cell")]
    assert "answer" in skipped[2].said("en")


def test_a_table_without_names_is_read_where_a_person_says_that_it_is_one(read: Read) -> None:
    examples, _, _ = read("Who?;Me\nWhere?;Here\n", format="csv")
    assert texts(examples) == [["Who?", "Me"], ["Where?", "Here"]]


def test_a_long_cell_is_read_and_the_limit_of_the_process_stays(read: Read) -> None:
    csv.field_size_limit(before := 131_072)
    examples, _, _ = read(f"question,answer\nLong?,{'x' * 400_000}\n")
    assert len(examples[0].texts[1]) == 400_000
    assert csv.field_size_limit() == before


# ── plain text ───────────────────────────────────────────────────────────────────────────────────────────────────

PAIRS = [["Who wrote Hamlet?", "Shakespeare.\n\nIn about 1600.\n\n- a tragedy"], ["Two?", "Yes: A: is no mark here"]]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Q: ", "A: "),
        ("Q1: ", "A1: "),
        ("**Q:** ", "**A:** "),
        ("P: ", "R: "),
        ("Question: ", "Answer: "),
        ("Pregunta: ", "Respuesta: "),
        ("- PREGUNTA: ", "- respuesta: "),
    ],
)
def test_pairs_with_marks_are_read_each_by_itself(read: Read, question: str, answer: str) -> None:
    pairs = PAIRS if answer.strip("* ") != "A:" else [PAIRS[0], ["Two?", "Yes: it is"]]
    text = "".join(f"{question}{asked}\n{answer}{answered}\n" for asked, answered in pairs)
    for spaced in (text, text.replace(question, "\n\n" + question)):
        examples, skipped, reading = read(spaced)
        assert (texts(examples), skipped, reading.format) == (pairs, [], "text")
    assert examples[0].source.line == 3


DIALOGUE = ["Hi", "Hello!\n\nHow are you?", "Fine", "Good."]


@pytest.mark.parametrize(
    ("person", "model"),
    [
        ("User: ", "Assistant: "),
        ("Usuario: ", "Asistente: "),
        ("Human: ", "AI: "),
        ("You: ", "ChatGPT: "),
        ("## You\n\n", "## Afina\n\n"),
        ("## You\n\n", "## Afina (Marv)\n\n"),
        ("### **User**\n", "### **Assistant**\n"),
        ("## Tú\n", "## Asistente\n"),
    ],
)
def test_a_dialogue_is_one_conversation_until_a_line_parts_it(read: Read, person: str, model: str) -> None:
    def talk() -> str:
        return "".join((model if at % 2 else person) + said + "\n\n" for at, said in enumerate(DIALOGUE))

    for between in ("", "---\n\n", "# Another one\n\n"):
        examples, skipped, _ = read(talk() + between + talk())
        assert skipped == []
        assert texts(examples) == ([DIALOGUE * 2] if not between else [DIALOGUE, DIALOGUE])


def test_a_blank_line_parts_dialogues_that_have_none_inside(read: Read) -> None:
    talk = "User: Hi\nAssistant: Hello!\nUser: Fine\nAssistant: Good.\n"
    examples, _, _ = read(talk + "\n" + talk)
    assert texts(examples) == [["Hi", "Hello!", "Fine", "Good."]] * 2


def test_a_system_line_begins_a_conversation(read: Read) -> None:
    talk = "System: You are Marv.\nUser: Hi\nAssistant: Oh, you.\n"
    examples, _, _ = read(talk * 2)
    assert [one.system for one in examples] == ["You are Marv."] * 2


def test_blocks_between_blank_lines_are_pairs(read: Read) -> None:
    examples, skipped, _ = read("Who wrote Hamlet?\nShakespeare.\nIn 1600.\n\n¿Y el Quijote?\nCervantes.\n\nAlone\n")
    assert texts(examples) == [["Who wrote Hamlet?", "Shakespeare.\nIn 1600."], ["¿Y el Quijote?", "Cervantes."]]
    assert [(one.line, one.code) for one in skipped] == [(8, "no_answer")]


def test_what_has_no_counterpart_is_named_by_line(read: Read) -> None:
    examples, skipped, _ = read("A preface.\n\nQ: One?\nQ: Two?\nA: Yes.\nQ: Three?\n")
    assert texts(examples) == [["Two?", "Yes."]]
    assert [(one.line, one.code, one.whole) for one in skipped] == [
        (1, "outside", False),
        (3, "no_answer", True),
        (6, "no_answer", True),
    ]


def test_markdown_without_its_citations_comes_back(read: Read) -> None:
    written_by_us = (
        "# France\n\n## You\n\nCapital?\n\n## Afina\n\nParis [1].\n\n# A heading in it\n\nAnd more.\n\n"
        "- [1] Atlas, p. 3: “Paris is the capital”\n\n# Spain\n\n## You\n\n¿Y aquí?\n\n## Afina\n\nMadrid.\n"
    )
    examples, skipped, _ = read(written_by_us)
    assert texts(examples) == [["Capital?", "Paris.\n\n# A heading in it\n\nAnd more."], ["¿Y aquí?", "Madrid."]]
    assert skipped == []


# ── rows whose names say what they are ───────────────────────────────────────────────────────────────────────────


def test_alpaca_with_history_and_a_whole_text_besides(read: Read, tmp_path: Path) -> None:
    row = {
        "instruction": "Translate", "input": "casa", "output": "house", "system": "Be brief",
        "history": [["Hi", "Hello"]], "text": "all of it again",
    }  # fmt: skip
    (example,), _, reading = read(written(tmp_path / "a.json", [row]))
    assert reading.format == "alpaca"
    assert list(example.texts) == ["Be brief", "Hi", "Hello", "Translate\n\ncasa", "house"]
    assert [turn.learn for turn in example.turns] == [True, True, False, True, True]


def test_questions_and_answers_as_json_in_spanish(read: Read, tmp_path: Path) -> None:
    rows = [{"pregunta": "¿Quién?", "respuesta": "Yo"}, {"pregunta": "¿Cuánto?", "respuesta": 4}]
    examples, _, reading = read(lines(tmp_path / "a.jsonl", rows))
    assert (texts(examples), reading.format) == ([["¿Quién?", "Yo"], ["¿Cuánto?", "4"]], "pairs")
