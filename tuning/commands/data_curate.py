"""`afina data examples | example | approve | drop | reopen | tag | mask | rank | split | merge | edit | undo`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.service.commands.session import Home, Json, Row, clean, of, print_json

Numbers = Annotated[list[int] | None, typer.Argument(metavar="[EXAMPLE]...")]
Found = Annotated[str | None, typer.Option("--finding")]


class StatusName(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    DROPPED = "dropped"


def register(app: typer.Typer) -> None:
    for verb in ("approve", "drop", "reopen"):
        app.command(verb)(_deciding(verb))
    for name, command in (
        ("examples", examples), ("example", example), ("tag", tag), ("mask", mask), ("rank", rank), ("split", split),
        ("merge", merge), ("edit", edit), ("undo", undo),
    ):  # fmt: skip
        app.command(name)(command)


def examples(
    context: typer.Context,
    name: str,
    status: StatusName | None = None,
    search: str | None = None,
    tag_is: Annotated[str | None, typer.Option("--tag")] = None,
    finding: Found = None,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    limit: Annotated[int, typer.Option("-n", min=1, max=1000)] = 50,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    only = _only(status, search, tag_is, finding)
    rows = list(session.call("data.examples", home, name=name, only=only, offset=offset, limit=limit))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        session.table(rows, "example", "status", "kind", "prompt", "answer", "findings")
    else:
        print(session.say("no_examples"))


def example(context: typer.Context, number: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def show(row: Row) -> None:
        content = row["content"]
        said = [*content.get("turns", ()), *(turn for one in content.get("answers", ()) for turn in one["turns"])]
        for turn in said:
            print(f"{turn['role']}: {clean(turn.get('text', ''))}\n")
        if text := content.get("text"):
            print(clean(text))
        for finding in row["findings"] or ():
            print(f"! {clean(finding.get('message', finding['code']))}")

    session.print(session.call("data.example", home, number=number), as_json, show)


def _deciding(verb: str) -> Callable[..., None]:
    def decide(
        context: typer.Context,
        name: str,
        numbers: Numbers = None,
        search: str | None = None,
        finding: Found = None,
        home: Home = None,
        as_json: Json = False,
    ) -> None:
        session, only = of(context), _only(None, search, None, finding)

        def show(row: Row) -> None:
            print(session.say("examples_changed", **row))
            if row["left"]:
                print(session.say("examples_left", **row))

        session.print(session.call(f"data.{verb}", home, name=name, numbers=numbers, only=only), as_json, show)

    return decide


def tag(
    context: typer.Context,
    name: str,
    tag_name: Annotated[str, typer.Argument(metavar="TAG")],
    numbers: Numbers = None,
    off: Annotated[bool, typer.Option("--off")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("data.tag", home, name=name, tag=tag_name, numbers=numbers, off=off)
    session.print(rows, as_json, lambda row: print(session.say("examples_changed", **row)))


def mask(
    context: typer.Context,
    number: int,
    turn: int,
    learn: Annotated[bool, typer.Option("--learn")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    _one(context, "mask", home, as_json, number=number, turn=turn, learn=learn)


def rank(
    context: typer.Context,
    number: int,
    ranks: Annotated[list[int], typer.Argument()],
    home: Home = None,
    as_json: Json = False,
) -> None:
    _one(context, "rank", home, as_json, number=number, ranks=ranks)


def split(context: typer.Context, number: int, at: int, home: Home = None, as_json: Json = False) -> None:
    _one(context, "split", home, as_json, number=number, at=at)


def merge(context: typer.Context, first: int, second: int, home: Home = None, as_json: Json = False) -> None:
    _one(context, "merge", home, as_json, first=first, second=second)


def edit(context: typer.Context, number: int, file: Path, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        session.complain(session.say("no_content", path=file))
        raise typer.Exit(1)
    _one(context, "edit", home, as_json, number=number, content=content.get("content", content))


def undo(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def show(row: Row) -> None:
        print(session.say("undone" if row["undone"] else "nothing_undone", what=row["undone"]))

    session.print(session.call("data.undo", home, name=name), as_json, show)


def _one(context: typer.Context, verb: str, home: Path | None, as_json: bool, **arguments: Any) -> None:
    session = of(context)
    rows: Iterator[Row] = session.call(f"data.{verb}", home, **arguments)
    session.print(rows, as_json, lambda row: print(session.say("example_changed", **row)))


def _only(
    status: StatusName | None, search: str | None, tag_is: str | None, finding: str | None
) -> dict[str, str] | None:
    given = {"status": status.value if status else None, "search": search, "tag": tag_is, "finding": finding}
    return {name: value for name, value in given.items() if value is not None} or None
