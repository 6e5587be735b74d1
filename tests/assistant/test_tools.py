"""Laws of our own tools: exact, bounded, one sentence for what cannot be done; nothing beyond the scope is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from assistant.tools import OURS, Toolbox, ToolError, UnknownTool, Work
from assistant.tools import places as places_of
from assistant.tools.calculator import calculate
from assistant.tools.clock import Clock, run
from assistant.tools.convert import convert
from assistant.tools.query_table import QueryTable
from assistant.tools.read_document import ReadDocument
from assistant.tools.search_documents import SearchDocuments
from knowledge.embedders import Embedder
from knowledge.library import Library
from knowledge.store.database import connect


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("12 × 3", "36"), ("12*3=", "36"), ("0.1 + 0.2", "0.3"), ("15% of 80", "12"), ("80 + 15%", "92"),
        ("17 % 5", "2"), ("2^10", "1,024"), ("-2²", "-4"), ("√9+7", "10"), ("2(3+4)", "14"), ("5!", "120"),
        ("1,234.5*2", "2,469"), ("1.234,56 + 1", "1,235.56"), ("1 000 000 / 4", "250,000"), ("3,5 * 2", "7"),
        ("sqrt(2)", "1.41421356237"), ("8**(1/3)", "2"), ("sin(30°)", "0.5"), ("sin(pi)", "0"),
        ("1/3", "0.333333333333"),
        ("max(1,2)", "2"), ("log(8, 2)", "3"), ("round(2.5)", "3"), ("square root of 16", "4"), ("12 x 3", "36"),
        ("1/7*7", "1"), ("1e3*2", "2,000"), ("99999999999 * 99999999999", "9,999,999,999,800,000,000,001"),
    ],
)  # fmt: skip
def test_what_people_write_is_worked_out(text: str, result: str) -> None:
    assert calculate(text).shown() == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("15 % de 80", "12"), ("3,5 * 2", "7"), ("1.234,56 + 1", "1.235,56"), ("raíz cuadrada de 2", "1,41421356237"),
        ("12 por 3", "36"), ("el 15 por ciento de 80", "12"), ("1.200 + 21%", "1.452"), ("suma(1,5; 2,5)", "4"),
        ("2 elevado a 10", "1.024"), ("10 : 4", "2,5"),
    ],
)  # fmt: skip
def test_what_people_write_in_spanish_is_worked_out(text: str, result: str) -> None:
    assert calculate(text, "es").shown("es") == result


def test_a_result_is_said_and_says_whether_it_is_whole() -> None:
    assert calculate("12 × 3").spoken() == "12 × 3 = 36"
    assert calculate("1/3").spoken() == "1/3 ≈ 0.333333333333"


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9", "9^9^9^9", "10000!", "1e999*1e999", "2**99999999", "e**99999", "(10**900)**9", "1/0", "0**-1",
        "5 mod 0",
        "sqrt(-1)", "log(0)", "(-8)**0.5", "tan(90°)", "", " = ", "2+", "__import__('os')", "a.b", "(lambda: 1)()",
        "[1 for x in y]", "1 if 2 else 3", "(" * 400, "-" * 499, "1 2", "3 > 2", "x", "1" * 600, "9" * 450 + "+1",
        "max()", "sqrt(1,2,3)", "gcd(1.5,2)", "'a'*9", "f'{1}'", "1;2", "print(1)", "open('x')", "1_000",
        "٣+٤)", "round(1, 999)", "\x00", "5" + "!" * 100, "sqrt" * 100, "2**" * 100 + "2", "%", "of", "√",
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "es"])
def test_whatever_cannot_be_worked_out_is_one_sentence_at_once(text: str, language: str) -> None:
    start = time.process_time()
    with pytest.raises(ToolError) as caught:
        calculate(text, language)
    assert time.process_time() - start < 0.1
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
    assert caught.value.said("es") != str(caught.value)


NOW = datetime(2026, 11, 21, 5, 0, tzinfo=ZoneInfo("Europe/Madrid"))


def told(language: str = "en", **given: str) -> str:
    return run(Clock(**given), Work(language=language, now=NOW)).text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "It is 05:00 on Saturday, 21 November 2026."),
        ({"place": "Tokyo"}, "In Tokyo it is 13:00 on Saturday, 21 November 2026 (UTC+9)."),
        ({"place": "Kathmandu"}, "In Kathmandu it is 09:45 on Saturday, 21 November 2026 (UTC+5:45)."),
        ({"place": "Madrid", "to": "Tokyo", "when": "9:30"}, "it is 17:30 in Tokyo. Tokyo is 8 hours ahead of Madrid."),
        ({"place": "New York", "when": "7 pm"}, "it is 01:00 on Saturday, 21 November 2026 here."),
        ({"when": "2024-02-29"}, "Thursday, 29 February 2024: 996 days ago."),
        ({"when": "12 October 1492"}, "carried back"),
        ({"when": "2024-01-01", "until": "2024-03-01"}, "60 days (8 weeks and 4 days)"),
        ({"when": "2024-01-15", "until": "Christmas"}, "345 days"),
        ({"when": "2024-01-31", "add": "1 month"}, "Thursday, 29 February 2024."),
        ({"add": "3 weeks ago"}, "Saturday, 31 October 2026."),
        ({"add": "36 hours"}, "Sunday, 22 November 2026, 17:00."),
        ({"when": "02/03/2024"}, "3 February 2024"),
        ({"when": "tomorrow"}, "1 day from today"),
    ],
)
def test_the_clock_says(given: dict[str, str], said: str) -> None:
    assert said in told(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Son las 05:00 del sábado 21 de noviembre de 2026."),
        ({"place": "Nueva York", "when": "7 pm"}, "aquí es la 01:00"),
        ({"place": "Japón", "to": "España", "when": "mediodía"}, "España va 8 horas por detrás de Japón."),
        ({"when": "29 de febrero de 2024"}, "Jueves 29 de febrero de 2024: hace 996 días."),
        ({"when": "02/03/2024"}, "2 de marzo de 2024"),
        ({"add": "hace 3 semanas"}, "sábado 31 de octubre de 2026."),
        ({"until": "navidad"}, "34 días (4 semanas y 6 días)"),
        ({"when": "mañana a las 9 de la noche", "place": "Madrid", "to": "Lima"}, "en Lima son las 15:00"),
    ],
)
def test_the_clock_says_in_spanish(given: dict[str, str], said: str) -> None:
    assert said in told("es", **given)


@pytest.mark.parametrize(
    "given",
    [
        {"place": "Xyzzy"}, {"place": "USA"}, {"place": "../../etc/passwd"}, {"place": "a" * 9_000},
        {"when": "32 January"},
        {"when": "25:61"}, {"when": "29 February 2023"}, {"add": "many moons"}, {"add": "3000000 days"},
        {"add": "9" * 50},
        {"when": "0001-01-01", "add": "-1 day"}, {"place": "Honolulu", "to": "Tokyo", "when": "9999-12-31 23:59"},
        {"when": "x" * 9_000}, {"until": "0000-00-00"},
    ],
)  # fmt: skip
def test_what_is_no_date_and_no_place_is_one_sentence(given: dict[str, str]) -> None:
    with pytest.raises(ToolError) as caught:
        told(**given)
    assert "\n" not in str(caught.value)
    assert caught.value.said("es") != str(caught.value)


def test_a_place_that_is_nearly_one_is_suggested() -> None:
    with pytest.raises(ToolError, match="Did you mean Madrid"):
        told(place="Madird")
    with pytest.raises(ToolError, match="New York, Chicago, Denver or Los Angeles"):
        told(place="EE. UU.")


def test_every_place_of_the_file_has_its_zone() -> None:
    zones, several = places_of._known()
    assert len(zones) > 400
    for name, zone in zones.values():
        assert places_of.find(name).zone == ZoneInfo(zone)
    assert all(places_of.find(city) for choose in several.values() for city in choose)


@pytest.mark.parametrize(
    ("value", "unit", "to", "said"),
    [
        (5, "km", "millas", "5 km ≈ 3.106856 mi"), (100, "celsius", "fahrenheit", "100 °C = 212 °F"),
        (-40, "F", "C", "-40 °F = -40 °C"), (25, "grados", "Fahrenheit", "25 °C = 77 °F"),
        (180, "grados", "radianes", "180° ≈ 3.141593 rad"), (1, "lb", "kg", "1 lb = 0.45359237 kg"),
        (8, "ounces", "ml", "8 fl oz (US) = 236.5882365 ml"), (8, "onzas", "gramos", "8 oz = 226.796185 g"),
        (80, "metros cuadrados", "m2", "80 m² = 80 m²"), (1000, "sq ft", "m²", "1,000 ft² = 92.90304 m²"),
        (120, "kilómetros por hora", "mph", "120 km/h ≈ 74.56454 mph"), (1, "GiB", "MB", "1 GiB = 1,073.741824 MB"),
        (1, "acre", "m2", "1 acre = 4,046.8564224 m²"), (2.5, "horas", "minutos", "2.5 h = 150 min"),
    ],
)  # fmt: skip
def test_units_are_converted(value: float, unit: str, to: str, said: str) -> None:
    assert convert(value, unit, to).spoken() == said


def test_nothing_is_lost_on_the_way() -> None:
    assert convert(Fraction(1, 3), "mile", "inch").result == Fraction(63360, 3)


@pytest.mark.parametrize(
    ("unit", "to", "said"),
    [
        ("euros", "dollars", "Currencies"), ("$", "€", "Currencies"), ("km", "kg", "measure different things"),
        ("foobar", "kg", "do not know the unit"), ("m**9**9**9", "m", "do not know"), ("", "m", "do not know"),
        ("__import__", "m", "do not know"), ("x" * 9_000, "m", "do not know"), ("m", "9**9**9", "do not know"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_one_sentence(unit: str, to: str, said: str) -> None:
    with pytest.raises(ToolError, match=said) as caught:
        convert(1, unit, to)
    assert caught.value.said("es") != str(caught.value)


@pytest.mark.parametrize("value", [1e300, "1e31"])
def test_a_number_too_big_to_convert_is_one_sentence(value: float | str) -> None:
    with pytest.raises(ToolError, match="too big"):
        convert(value, "km", "m")


def test_nothing_is_colder_than_absolute_zero() -> None:
    with pytest.raises(ToolError, match="absolute zero"):
        convert(-300, "C", "K")


@pytest.fixture
def toolbox(tmp_path: Path) -> Iterator[Toolbox]:
    engine = connect(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    made = Toolbox(engine)
    yield made
    made.close()
    engine.dispose()


def test_every_tool_of_ours_is_there_and_describes_itself(toolbox: Toolbox) -> None:
    tools = {tool.name: tool for tool in toolbox.all()}
    assert tuple(tools) == OURS
    for tool in tools.values():
        assert tool.schema()["additionalProperties"] is False
        assert tool.title["en"]
        assert tool.title["es"]
        assert tool.description


def test_the_web_is_off_until_a_person_turns_it_on(toolbox: Toolbox) -> None:
    assert not toolbox.web
    assert not any(tool.needs_web for tool in toolbox.tools())
    with pytest.raises(UnknownTool, match="switched off"):
        toolbox.get("web_search")
    toolbox.web = True
    assert {"web_page", "web_search"} <= {tool.name for tool in toolbox.tools()}


def test_a_switch_is_kept_and_offers_nothing_that_is_off(toolbox: Toolbox) -> None:
    toolbox.switch("clock", False)
    again = Toolbox(toolbox._engine)
    assert not again.is_on("clock")
    assert "clock" not in {tool.name for tool in again.tools()}
    with pytest.raises(UnknownTool):
        again.get("clock")
    again.switch("clock", True)
    assert toolbox.get("clock").name == "clock"
    with pytest.raises(UnknownTool, match="there are calculator"):
        toolbox.switch("no such tool", True)


SALES = (
    "\ufeffCiudad;Ventas (€);Fecha;CP\r\n"
    'Madrid;1.234,50;01/02/2024;08001\r\nSevilla;99,5;15/02/2024;41001\r\n"Alcalá; la Real";12;03/03/2024;23680\r\n'
)


@pytest.fixture
def library(tmp_path: Path, embedder: Embedder) -> Iterator[Library]:
    (tmp_path / "Ventas 2024.csv").write_text(SALES, encoding="utf-8")
    (tmp_path / "lighthouse.txt").write_text("The lighthouse of Vigo was built in 1862 and is 27 metres tall.")
    (tmp_path / "secret.md").write_text("The password of the safe is swordfish.")
    engine = connect(f"sqlite:///{tmp_path / 'b.sqlite3'}")
    opened = Library.open(tmp_path / "home", engine, lambda: embedder)
    for name in ("Ventas 2024.csv", "lighthouse.txt", "secret.md"):
        assert list(opened.add(tmp_path / name))[-1].status.searchable
    yield opened
    opened.close()
    engine.dispose()


def test_documents_and_tables_are_read_within_the_scope_only(toolbox: Toolbox, library: Library) -> None:
    ids = {document.title: document.id for document in library.documents()}
    search, read = toolbox.get("search_documents").run, toolbox.get("read_document").run
    every = Work(library=library)
    found = search(SearchDocuments(query="When was the lighthouse built?"), every)
    assert found.passages[0].title == "lighthouse.txt"
    assert "[1] lighthouse.txt, page 1:" in found.text
    assert "swordfish" in read(ReadDocument(document="secret"), every).text

    scope = Work(library=library, documents=(ids["lighthouse.txt"],))
    assert all(
        p.title == "lighthouse.txt" for p in search(SearchDocuments(query="password of the safe"), scope).passages
    )
    for name in ("secret.md", "secret", str(ids["secret.md"]), f"#{ids['secret.md']}", "SECRET.MD"):
        with pytest.raises(ToolError, match="no document") as caught:
            read(ReadDocument(document=name), scope)
        assert "swordfish" not in str(caught.value)
        assert "There are: lighthouse.txt" in str(caught.value)
    with pytest.raises(ToolError, match="no CSV"):
        toolbox.get("query_table").run(QueryTable(sql="select * from ventas_2024"), scope)
    with pytest.raises(ToolError, match="no documents"):
        search(SearchDocuments(query="x"), Work(library=library, documents=()))
    with pytest.raises(ToolError, match="pages between 1 and 1"):
        read(ReadDocument(document="lighthouse", first=9), every)

    rows(toolbox, library)
    refusals(toolbox, library)


def rows(toolbox: Toolbox, library: Library) -> None:
    """SQL sees the file's own columns, numbers and dates as its country writes them."""
    query, work = toolbox.get("query_table").run, Work(library=library)
    told = query(QueryTable(), work).text
    assert 'ventas_2024 (Ventas 2024.csv, 3 rows): ciudad "Ciudad" VARCHAR, ventas "Ventas (€)" DOUBLE' in told
    assert 'fecha "Fecha" DATE, cp "CP" VARCHAR' in told  # 08001 is no number
    assert query(QueryTable(sql="SELECT sum(ventas) AS total FROM ventas_2024"), work).spoken == "total: 1346.0"
    ordered = query(QueryTable(sql="SELECT ciudad FROM ventas_2024 ORDER BY fecha DESC"), work)
    assert ordered.value["rows"] == [["Alcalá; la Real"], ["Sevilla"], ["Madrid"]]
    many = query(QueryTable(sql="SELECT * FROM range(1000)"), work)
    assert (len(many.value["rows"]), many.value["more"]) == (200, True)
    passage = toolbox.get("search_documents").run(SearchDocuments(query="ventas de Sevilla"), work).passages[0]
    assert "Ciudad: Sevilla; Ventas (€): 99,5" in passage.text


def refusals(toolbox: Toolbox, library: Library) -> None:
    query, work = toolbox.get("query_table").run, Work(library=library)
    for sql in (
        "COPY ventas_2024 TO 'stolen.csv'", "ATTACH 'x.db'", "INSTALL httpfs", "PRAGMA version",
        "SET enable_external_access=true", "DROP TABLE ventas_2024", "INSERT INTO ventas_2024 VALUES (1)",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT getenv('HOME')", "SELECT repeat('x', 2000000000)",
        "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
    ):  # fmt: skip
        with pytest.raises(ToolError) as caught:
            query(QueryTable(sql=sql), work)
        assert "\n" not in str(caught.value)
        assert "root:" not in str(caught.value)


def test_a_query_without_end_is_stopped(toolbox: Toolbox, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.tools.query_table.SECONDS", 1.0)
    endless = "WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"
    with pytest.raises(ToolError, match="longer than 1 seconds"):
        toolbox.get("query_table").run(QueryTable(sql=endless), Work(library=library))
    stopped = Work(library=library)
    stopped.stop.set()
    with pytest.raises(ToolError, match="stopped"):
        toolbox.get("query_table").run(QueryTable(sql=endless), stopped)


def test_a_persona_is_asked_by_name(toolbox: Toolbox) -> None:
    tool = toolbox.get("ask_persona")
    given = tool.arguments.model_validate({"name": "@Marv", "question": "Why?"})  # type: ignore[union-attr]
    assert tool.run(given, Work(ask_persona=lambda name, question: f"{name}: {question}")).text == "Marv: Why?"
    with pytest.raises(ToolError):
        tool.run(given, Work())
