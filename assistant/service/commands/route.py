"""`afina route FILE.txt`: where each line would go, with which tool and arguments, and why. Nothing is answered."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import ForPerson
from assistant.service.commands.session import Home, Json, Row, Session, clean, of

BATCH = 200_000  # characters sent at once: a request has at most a megabyte


def route(
    context: typer.Context,
    messages: Annotated[str | None, typer.Argument(metavar="FILE")] = None,
    corrections: Annotated[bool, typer.Option("--corrections")] = False,
    forget: Annotated[list[int] | None, typer.Option("--forget", min=1)] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    if messages is None and not corrections and not forget:
        raise typer.BadParameter(session.say("route_nothing"))
    if corrections or forget:
        rows = list(session.call("route.corrections", home, forget=forget or None))
        if not as_json and not rows:
            print(session.say("no_corrections"))
        session.print(iter(rows), as_json, lambda row: _correction(session, row))
    if messages is not None:
        for lines in _batches(_lines(session, messages)):
            session.print(session.call("route", home, lines=lines), as_json, lambda row: _routed(session, row))


def _lines(session: Session, name: str) -> list[str]:
    """Of a file, or of standard input where it is called -. A byte order mark is no letter."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).expanduser().read_bytes()
    except OSError as error:
        raise ForPerson(
            session.say("route_unreadable", path=name, reason=error.strerror or type(error).__name__)
        ) from None
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ForPerson(session.say("route_no_text", path=name))
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return [line for line in data.decode(encoding, "replace").splitlines() if line.strip()]


def _batches(lines: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for line in lines:
        if batch and size + len(line) > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(line[:BATCH])
        size += len(line)
    if batch:
        yield batch


def _routed(session: Session, row: Row) -> None:
    """The message, then what was chosen and why, indented."""
    print(clean(row["text"]))
    print(f"  {_where(session, row)} · {row['confidence']:.0%} · {clean(row['reason'])}")


def _correction(session: Session, row: Row) -> None:
    print(f"{row['correction']}  {clean(row['text'])}  →  {_where(session, row)}")


def _where(session: Session, row: Row) -> str:
    arguments = f" {json.dumps(row['arguments'], ensure_ascii=False)}" if row["arguments"] else ""
    name = row["tool"] or row["persona"]
    return session.say(f"route_{row['route']}") + (f": {clean(name)}{clean(arguments)}" if name else "")
