"""Laws of tools that are given something odd: nothing is misread in silence, and sentences name what a person knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.models.remote.faults import Where
from assistant.store.tables import McpServerRow
from assistant.tools import Toolbox, ToolError, UnknownTool, Work
from assistant.tools.calculator import calculate
from assistant.tools.convert import TOOL as CONVERT
from assistant.tools.given import checked
from assistant.tools.mcp import distinct
from assistant.tools.query_table import ask, rows
from assistant.tools.tool import READ
from knowledge.store.database import connect


@pytest.mark.parametrize("text", ["1e999999", "1e-999999", "1e10000", "2e-12345", "3 + 1E99999", "1e1000000000000000"])
def test_a_power_too_long_is_no_letter_e(text: str) -> None:
    with pytest.raises(ToolError, match="1,000 digits"):
        calculate(text)


@pytest.mark.parametrize("text", ["1;2", "(1;2)", "1,2,3;4"])
def test_a_sentence_holds_no_word_of_a_programmer(text: str) -> None:
    with pytest.raises(ToolError) as caught:
        calculate(text)
    assert "tuple" not in str(caught.value) + caught.value.said("es")


def test_a_function_says_how_many_numbers_it_takes() -> None:
    for text, said, spanish in (
        ("sqrt(1; 2)", "sqrt takes 1 number and was given 2", "sqrt lleva 1 número y recibió 2"),
        ("log(1; 2; 3)", "log takes 1 to 2 numbers and was given 3", "log lleva de 1 a 2 números y recibió 3"),
        ("gcd()", "gcd takes 1 to 200 numbers and was given 0", "gcd lleva de 1 a 200 números y recibió 0"),
    ):
        with pytest.raises(ToolError, match=said) as caught:
            calculate(text)
        assert spanish in caught.value.said("es")


@pytest.mark.parametrize(
    ("given", "said", "dicho"),
    [
        ({"value": 5, "unit": "km", "too": "mile"}, "to is missing; too is not known", "falta to; too no se conoce"),
        ({"value": "five", "unit": "km", "to": "mile"}, "value has to be a number", "value tiene que ser un número"),
        ({"value": 5, "unit": 7, "to": "mile"}, "unit has to be text", "unit tiene que ser texto"),
        ({"value": 5, "unit": "k" * 999, "to": "mile"}, "unit is longer than", "unit pasa de"),
        ([5], "are not a JSON object", "no son un objeto JSON"),
    ],
)
def test_wrong_arguments_are_told_in_both_languages_with_those_there_are(given: object, said: str, dicho: str) -> None:
    with pytest.raises(ToolError) as caught:
        checked(CONVERT, given)
    english, spanish = str(caught.value), caught.value.said("es")
    assert said in english
    assert dicho in spanish
    assert "value, unit, to" in english
    assert "value, unit, to" in spanish
    assert "\n" not in english + spanish


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────


def query(file: Path, sql: str) -> dict[str, object]:
    table = {"name": "t", "title": file.name, "path": str(file)}
    return ask({"tables": [table], "sql": sql, "rows": 200, "memory": 2 << 30, "seconds": 10}, Work())


def test_a_table_of_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("city,total\n")
    assert query(file, "SELECT count(*) AS n FROM t")["rows"] == [[0]]


@pytest.mark.parametrize("change", ["DELETE FROM t", "INSERT INTO t VALUES ('x', 1)", "UPDATE t SET total = 0"])
def test_a_change_within_a_select_is_refused(tmp_path: Path, change: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text("city,total\nMadrid,12\n")
    assert query(file, f"WITH x AS ({change} RETURNING *) SELECT * FROM x")["refused"] == "not_a_query"


def test_of_a_wide_answer_the_first_whole_rows_are_shown_and_that_there_are_more() -> None:
    answer = {"columns": ["a", "b"], "rows": [["x" * 300, "y" * 300]] * 200, "more": False}
    for language, said in (("en", "The first"), ("es", "Las primeras")):
        text = rows(answer, language)
        assert len(text) <= READ
        assert text.splitlines()[-1].startswith(said)
        assert text.splitlines()[-2] == f"{'x' * 300} | {'y' * 300}"


# ── what is switched off, and whose name is taken ────────────────────────────────────────────────────────────────


@pytest.fixture
def toolbox(tmp_path: Path) -> Iterator[Toolbox]:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    made = Toolbox(engine)
    yield made
    made.close()
    engine.dispose()


def test_what_is_off_is_named_by_its_title(toolbox: Toolbox) -> None:
    with pytest.raises(UnknownTool) as caught:
        toolbox.get("web_search")
    assert str(caught.value).startswith(
        "“Search the web” is switched off because the web is: turn the web on under Tools"
    )
    assert caught.value.said("es").startswith("«Buscar en la web» está apagado porque la web está apagada: enciende la")
    toolbox.switch("clock", False)
    with pytest.raises(UnknownTool) as caught:
        toolbox.get("clock")
    assert toolbox.all()[1].title["en"] in str(caught.value)
    assert toolbox.all()[1].title["es"] in caught.value.said("es")


def test_one_tool_listed_twice_is_one_and_two_that_look_alike_are_two(toolbox: Toolbox) -> None:
    toolbox.mcp.add('{"mcpServers": {"notes": {"command": "notes-server"}}}')
    listed = [{"name": name, "description": "", "schema": {}, "destructive": False} for name in ("a/b", "a_b", "a/b")]
    with toolbox._write() as (session, _):
        row = session.get(McpServerRow, "notes")
        assert row is not None
        row.config = {**row.config, "tools": listed}
    assert [tool.name for tool in toolbox.mcp.tools()] == ["notes__a_b", "notes__a_b_2"]


def test_two_tools_of_one_name_are_both_kept() -> None:
    long = "notes__" + "x" * 57
    assert distinct(["notes__a_b", "notes__a_b", "notes__c", "notes__a_b"]) == [
        "notes__a_b", "notes__a_b_2", "notes__c", "notes__a_b_3",
    ]  # fmt: skip
    assert distinct([long, long]) == [long, long[:61] + "_2"]


# ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "wait", "espera"),
    [
        (0.2, "1 second.", "1 segundo."), (1, "1 second.", "1 segundo."), (1.4, "2 seconds.", "2 segundos."),
        (89, "89 seconds.", "89 segundos."), (91, "2 minutes.", "2 minutos."), (3_600, "60 minutes.", "60 minutos."),
        (5_401, "2 hours.", "2 horas."), (1e300, "more than a day.", "más de un día."),
        (float("inf"), "more than a day.", "más de un día."),
    ],
)  # fmt: skip
def test_a_wait_is_said_in_good_grammar(seconds: float, wait: str, espera: str) -> None:
    error = Where("m", "http://host/v1").refusal(429, "slow down", retry_after=seconds)
    assert f"asks to wait {wait}" in str(error)
    assert f"pide esperar {espera}" in error.said("es")
