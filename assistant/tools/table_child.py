"""In: one JSON request on standard input. Out: one JSON answer on standard output. A process of its own.

    {"tables": [{"name": "ventas", "path": "…", "title": "Ventas.csv"}], "sql": "SELECT …", "folder": "…", "rows": 200,
     "memory": 2147483648, "seconds": 10}
    {"tables": [{"name", "title", "rows", "columns": [{"name", "title", "type"}], "sample": [[…]]}]}    sql was empty
    {"columns": ["city", "total"], "rows": [["Madrid", 12]], "more": false}
    {"refused": "sql", "detail": "Catalog Error: …"}

A process, because a query may take more than the database thinks it has: repeat('x', 2000000000) took 7 GB with a
memory limit of 256 MB, and an interrupt took 14 seconds. Here the system's own limits hold, and whoever asked kills it.
The file is loaded by this code; then the database is cut off from files and network and its settings are locked.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

ROWS = 1_000_000  # loaded of one file
CELL = 300  # characters shown of a cell
ALLOWED = {"SELECT"}  # a DESCRIBE is a SELECT to the parser
_LOCKED = (
    "autoinstall_known_extensions=false",
    "autoload_known_extensions=false",
    "enable_external_access=false",
    "lock_configuration=true",
)
Row = dict[str, Any]


class Refused(Exception):  # noqa: N818 - the name says what it is
    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def answer(request: Row) -> Row:
    import duckdb

    connection = duckdb.connect(":memory:", config={"memory_limit": "512MB", "threads": "2"})
    connection.execute("SET temp_directory=''")
    tables = [_load(connection, one, Path(request["folder"])) for one in request["tables"]]
    for setting in _LOCKED:
        connection.execute(f"SET {setting}")
    if not request["sql"].strip():
        return {"tables": tables}
    threading.Timer(request["seconds"], os._exit, (3,)).start()
    try:
        statements = connection.extract_statements(request["sql"])
        if len(statements) != 1 or statements[0].type.name not in ALLOWED:
            raise Refused("not_a_query")
        connection.execute("BEGIN TRANSACTION READ ONLY")  # a SELECT may hold an INSERT: WITH x AS (INSERT …)
        cursor = connection.execute(statements[0])
        rows = cursor.fetchmany(request["rows"] + 1)
        columns = [one[0] for one in cursor.description or ()]
    except duckdb.OutOfMemoryException:
        raise Refused("memory") from None
    except duckdb.TransactionException:
        raise Refused("not_a_query") from None
    except duckdb.PermissionException:
        raise Refused("outside") from None
    except duckdb.Error as error:
        raise Refused("sql", str(error)[:600]) from None
    shown = [[_cell(cell) for cell in row] for row in rows[: request["rows"]]]
    return {"columns": columns, "rows": shown, "more": len(rows) > request["rows"]}


def _load(connection: Any, one: Row, folder: Path) -> Row:
    """As a table of text first; then each column as what all of its cells can be."""
    from knowledge.readers import table as reader

    try:
        table = reader.opened(Path(one["path"]))
        plain = folder / f"{one['name']}.csv"
        count = 0
        with plain.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            for row in table.rows():
                if count == ROWS:
                    raise Refused("too_long", one["title"])
                writer.writerow(row)
                count += 1
    except (reader.NotATable, OSError):
        raise Refused("not_a_table", one["title"]) from None
    names = _names(table.columns)
    raw = f'"raw {one["name"]}"'
    texts = ", ".join(f'"{name}" VARCHAR' for name in names)
    connection.execute(f"CREATE TABLE {raw} ({texts})")
    if count:  # of an empty file the database cannot say how many columns it has
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
        connection.execute(
            f"INSERT INTO {raw} SELECT * FROM read_csv(?, header=false, delim=',', quote='\"', escape='\"', "
            f"nullstr='', columns={{{columns}}}, max_line_size=20000000)",
            [str(plain)],
        )
    plain.unlink()
    kinds = {name: _kind(connection, one["name"], name, table.decimal) for name in names}
    chosen = ", ".join(f'{expression} AS "{name}"' for name, (_, expression) in kinds.items())
    connection.execute(f'CREATE TABLE "{one["name"]}" AS SELECT {chosen} FROM {raw}')
    connection.execute(f"DROP TABLE {raw}")
    sample = connection.execute(f'SELECT * FROM "{one["name"]}" LIMIT 3').fetchall()
    pairs = zip(names, table.columns, strict=True)
    described = [{"name": name, "title": title, "type": kinds[name][0]} for name, title in pairs]
    shown = [[_cell(cell) for cell in row] for row in sample]
    return {"name": one["name"], "title": one["title"], "rows": count, "columns": described, "sample": shown}


def _kind(connection: Any, table: str, name: str, decimal: str) -> tuple[str, str]:
    """(type, expression). 007 stays text; 1.234,5 is a number where the file writes its decimals so."""
    column = f'"{name}"'
    group, point = (".", ",") if decimal == "," else (",", ".")
    number = f"replace(replace({column}, '{group}', ''), '{point}', '.')"
    shape = rf"-?\d{{1,3}}(\{group}\d{{3}})*(\{point}\d+)?|-?\d+(\{point}\d+)?([eE][-+]?\d+)?"
    whole = r"-?(0|[1-9]\d{0,17})"
    day = f"coalesce(try_cast({column} AS DATE), try_cast(try_strptime({column}, '%d/%m/%Y') AS DATE))"
    tried = (
        ("BIGINT", f"CASE WHEN regexp_full_match({column}, '{whole}') THEN try_cast({column} AS BIGINT) END"),
        ("DOUBLE", f"CASE WHEN regexp_full_match({column}, '{shape}') AND NOT regexp_full_match({column}, '-?0\\d+') "
                   f"THEN try_cast({number} AS DOUBLE) END"),
        ("DATE", day),
        ("TIMESTAMP", f"try_cast({column} AS TIMESTAMP)"),
    )  # fmt: skip
    raw = f'"raw {table}"'
    for kind, expression in tried:
        query = f"SELECT count({column}) > 0 AND count({column}) = count({expression}) FROM {raw}"
        if connection.execute(query).fetchone()[0]:
            return kind, expression
    return "VARCHAR", column


def _names(titles: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for title in titles:
        name = base = identifier(title)
        again = 2
        while name in found:
            name, again = f"{base}_{again}", again + 1
        found.append(name)
    return found


def identifier(title: str) -> str:
    """ "Ventas (€) 2024" → ventas_2024: what can be written in SQL without quotes."""
    import unicodedata

    letters = unicodedata.normalize("NFD", title.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]
    return name if name and not name[0].isdigit() and name not in _RESERVED else f"t_{name}".rstrip("_")


_RESERVED = frozenset(
    [
        "all", "and", "any", "array", "as", "asc", "by", "case", "check", "column", "create", "default", "desc",
        "distinct", "do", "else", "end", "except", "false", "fetch", "for", "from", "grant", "group", "having", "in",
        "intersect", "into", "lateral", "limit", "not", "null", "offset", "on", "only", "or", "order", "primary",
        "references", "select", "some", "table", "then", "to", "true", "union", "unique", "user", "using", "when",
        "where", "window", "with",
    ]
)  # fmt: skip


def _cell(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= CELL else text[:CELL] + "…"


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: whoever asked watches the time, and the database its own memory
        return
    for kind, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):  # macOS refuses some of them
            continue


def main() -> None:
    request = json.loads(sys.stdin.readline())
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    import duckdb  # noqa: F401 - before the limit

    _limit(request["memory"])
    try:
        row = answer(request)
    except Refused as refused:
        row = {"refused": refused.code, "detail": refused.detail}
    except MemoryError:
        row = {"refused": "memory", "detail": ""}
    output.write(json.dumps(row, ensure_ascii=False))
    output.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
