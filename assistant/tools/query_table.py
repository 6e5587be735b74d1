"""query_table: SQL over the person's CSV and TSV files, read-only.

    QueryTable()                                                     the tables, their columns and a few rows
    QueryTable(sql="SELECT city, sum(total) FROM ventas GROUP BY 1") what the query gives, at most 200 rows

In: SQL. Out: rows as text. The query runs in a child process (table_child.py) that holds the tables and nothing else:
no files, no network, bounded memory and time. Tables are named after the files: "Ventas 2024.csv" → ventas_2024.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from assistant.sentences import speaker
from assistant.tools.search_documents import open_library
from assistant.tools.table_child import identifier
from assistant.tools.tool import READ, Arguments, Result, Tool, ToolError, Work
from knowledge import Document

ROWS = 200  # shown
SECONDS = 10.0  # of a query
LOADING = 30.0  # seconds of loading the files, on top
MEMORY = 2 << 30  # bytes, of the child process
TABLES = 20  # loaded at once

say = speaker(
    {
        "none": (
            "There is no CSV or TSV file among the documents here: add one first.",
            "Aquí no hay ningún archivo CSV o TSV entre los documentos: añade uno primero.",
        ),
        "long": ("The query is longer than {limit} characters.", "La consulta tiene más de {limit} caracteres."),
        "not_a_query": (
            "Only one SELECT at a time is run here; nothing can be changed, loaded or written.",
            "Aquí solo se ejecuta un SELECT cada vez; no se puede cambiar, cargar ni escribir nada.",
        ),
        "outside": (
            "A query sees the tables only, no files and no network.",
            "Una consulta solo ve las tablas, ni archivos ni red.",
        ),
        "sql": ("The query does not work: {detail}", "La consulta no funciona: {detail}"),
        "memory": (
            "The query needs more memory than it may take: ask for less, for example with WHERE or LIMIT.",
            "La consulta necesita más memoria de la permitida: pide menos, por ejemplo con WHERE o LIMIT.",
        ),
        "slow": (
            "The query took longer than {seconds} seconds and was stopped: ask for less.",
            "La consulta tardaba más de {seconds} segundos y se detuvo: pide menos.",
        ),
        "not_a_table": (
            "{detail} is no table that could be read: it has one column, or a quote that never ends.",
            "{detail} no es una tabla que se pueda leer: tiene una sola columna o unas comillas sin cerrar.",
        ),
        "too_long": ("{detail} has too many rows to query.", "{detail} tiene demasiadas filas para consultarla."),
        "crashed": (
            "The query could not be run: try a simpler one.",
            "No se pudo ejecutar la consulta: prueba una más sencilla.",
        ),
        "stopped": ("The query was stopped.", "La consulta se detuvo."),
        "rows": ("Rows: {count}.", "Filas: {count}."),
        "more": ("The first {count} rows; there are more.", "Las primeras {count} filas; hay más."),
    }
)


class QueryTable(Arguments):
    sql: str = Field(default="", description="One SELECT in DuckDB's SQL. Empty: list the tables and their columns.")


def run(given: QueryTable, work: Work) -> Result:
    if len(given.sql) > READ:
        raise error("long", limit=READ)
    library = open_library(work)
    tables = named(library.documents(), work)
    if not tables:
        raise error("none")
    wanted = {name: one for name, one in tables.items() if re.search(rf"\b{name}\b", given.sql, re.I)}
    chosen = wanted or dict(list(tables.items())[: TABLES if not given.sql.strip() else 1])
    loaded = [
        {"name": name, "title": one.title, "path": str(library.file(one.id))}
        for name, one in list(chosen.items())[:TABLES]
    ]
    answer = ask({"tables": loaded, "sql": given.sql, "rows": ROWS, "memory": MEMORY, "seconds": SECONDS}, work)
    if "refused" in answer:
        detail = " ".join(str(answer.get("detail", "")).split())
        if answer["refused"] == "sql":
            detail += f" [tables: {', '.join(tables)}]"
        raise error(answer["refused"], detail=detail)
    text = schema(answer["tables"]) if "tables" in answer else rows(answer, work.language)
    return Result(text=text[:READ], spoken=_spoken(answer, work.language), value=answer)


def named(documents: list[Document], work: Work) -> dict[str, Document]:
    """The tables the turn may see, by the name SQL knows them by; oldest first, so that names stay as they are."""
    found: dict[str, Document] = {}
    for one in sorted(documents, key=lambda document: document.id):
        if (
            one.kind != "csv"
            or not one.status.searchable
            or (work.documents is not None and one.id not in work.documents)
        ):
            continue
        name = base = identifier(Path(one.title).stem)
        again = 2
        while name in found:
            name, again = f"{base}_{again}", again + 1
        found[name] = one
    return found


def ask(request: dict[str, Any], work: Work) -> dict[str, Any]:
    """What the child answers. Raises ToolError: too slow, stopped, crashed."""
    root = Path(__file__).resolve().parent.parent.parent
    start = f"import sys; sys.path.insert(0, {str(root)!r}); from assistant.tools.table_child import main; main()"
    with tempfile.TemporaryDirectory(prefix="afina-table-") as folder:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", start],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip
        try:
            said = _talk(child, json.dumps({**request, "folder": folder}) + "\n", work)
        finally:
            child.kill()
            child.communicate()
    if child.returncode == 3:
        raise error("slow", seconds=round(SECONDS))
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError:
        raise error("memory" if child.returncode else "crashed") from None
    return answer


def _talk(child: subprocess.Popen[str], asked: str, work: Work) -> str:
    until = time.monotonic() + LOADING + SECONDS
    given: str | None = asked
    while True:
        try:
            said, _ = child.communicate(given, timeout=0.1)
            return said
        except subprocess.TimeoutExpired:
            given = None  # it was handed over; asking again only waits on
            if work.stop.is_set():
                raise error("stopped") from None
            if time.monotonic() > until:
                raise error("slow", seconds=round(LOADING + SECONDS)) from None


def schema(tables: list[dict[str, Any]]) -> str:
    """ventas (Ventas.csv, 3 rows): city "Ciudad" VARCHAR, total BIGINT, then the first rows."""
    parts = []
    for table in tables:
        columns = ", ".join(map(_column, table["columns"]))
        sample = "\n".join(" | ".join(map(_text, row)) for row in table["sample"])
        parts.append(f"{table['name']} ({table['title']}, {table['rows']} rows): {columns}\n{sample}")
    return "\n\n".join(parts)


def _column(one: dict[str, str]) -> str:
    title = "" if one["name"] == one["title"] else f" {json.dumps(one['title'], ensure_ascii=False)}"
    return f"{one['name']}{title} {one['type']}"


def rows(answer: dict[str, Any], language: str) -> str:
    """As many whole rows as a model reads, and whether there are more."""
    head = " | ".join(answer["columns"])[: READ // 2]
    lines: list[str] = []
    room = READ - len(head) - 100
    for row in answer["rows"]:
        line = " | ".join(map(_text, row))
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    more = answer["more"] or len(lines) < len(answer["rows"])
    return "\n".join([head, *lines, say("more" if more else "rows", language, count=len(lines))])


def _spoken(answer: dict[str, Any], language: str) -> str:
    """One value is the answer itself; a table is shown whole."""
    if "tables" in answer:
        return schema(answer["tables"])
    if len(answer["rows"]) == 1 and len(answer["columns"]) == 1:
        return f"{answer['columns'][0][:100]}: {_text(answer['rows'][0][0])}"
    return rows(answer, language)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).replace("\n", " ")


def error(key: str, **values: object) -> ToolError:
    return ToolError(say(key, "en", **values), spanish=say(key, "es", **values))


TOOL = Tool(
    name="query_table",
    title={"en": "Query a table", "es": "Consultar una tabla"},
    description="Runs one read-only SQL SELECT (DuckDB) over the person's CSV files, each a table named after its "
    "file. Call it with empty sql first to see tables, columns and sample rows. Use it to count, sum or filter rows.",
    arguments=QueryTable,
    run=run,
    untrusted=True,  # cells are a stranger's text
)
