"""`afina data …`: datasets and what comes into them. Examples are in data_curate.py, files in data_files.py."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, local, of, print_json
from tuning.commands import data_curate, data_files

app = typer.Typer(no_args_is_help=True)


class Kind(StrEnum):
    CONVERSATION = "conversation"
    PREFERENCE = "preference"
    RANKING = "ranking"
    SCORE = "score"


class Rating(StrEnum):
    LIKED = "liked"
    DISLIKED = "disliked"
    RATED = "rated"
    UNRATED = "unrated"


class RouteName(StrEnum):
    DOCUMENTS = "documents"
    TOOL = "tool"
    PERSONA = "persona"
    CHAT = "chat"


@app.command("list")
def list_(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("data.list", home))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        rows = [{**row, "updated_at": local(row["updated_at"])} for row in rows]
        session.table(rows, "dataset", "name", "draft", "approved", "dropped", "versions", "updated_at")
    else:
        print(session.say("no_datasets"))


@app.command()
def create(
    context: typer.Context, name: str, note: str = "", licence: str = "", home: Home = None, as_json: Json = False
) -> None:
    session = of(context)
    rows = session.call("data.create", home, name=name, note=note, licence=licence)
    session.print(rows, as_json, lambda row: print(session.say("dataset_made", **row)))


@app.command()
def change(
    context: typer.Context,
    name: str,
    rename: str | None = None,
    note: str | None = None,
    licence: str | None = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("data.change", home, name=name, rename=rename, note=note, licence=licence)
    session.print(rows, as_json, lambda row: print(session.say("dataset_changed", **row)))


@app.command()
def remove(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("data.remove", home, name=name)
    session.print(rows, as_json, lambda row: print(session.say("dataset_removed", **row)))


@app.command()
def restore(context: typer.Context, dataset: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("data.restore", home, dataset_id=dataset)
    session.print(rows, as_json, lambda row: print(session.say("dataset_restored", **row)))


@app.command()
def build(
    context: typer.Context,
    name: str,
    kind: Kind = Kind.CONVERSATION,
    rating: Rating | None = None,
    reason: str | None = None,
    persona: str | None = None,
    route: RouteName | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    lang: str | None = None,
    search: str | None = None,
    shortest: int | None = None,
    longest: int | None = None,
    corrected: Annotated[bool | None, typer.Option("--corrected/--not-corrected")] = None,
    chat: Annotated[list[int] | None, typer.Option("--chat")] = None,
    message: Annotated[list[int] | None, typer.Option("--message")] = None,
    exchange: Annotated[bool, typer.Option("--exchange")] = False,
    plain: Annotated[bool, typer.Option("--plain")] = False,
    tools: Annotated[bool, typer.Option("--tools/--no-tools")] = True,
    dry: Annotated[bool, typer.Option("--dry")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call(
        "data.build", home, name=name, kind=kind.value, rating=rating.value if rating else None, reason=reason,
        persona=persona, route=route.value if route else None, since=_iso(since), until=_iso(until), language_is=lang,
        search=search, shortest=shortest, longest=longest, edited=corrected, conversations=chat, messages=message,
        turns="exchange" if exchange else None, grounding="plain" if plain else None, tools=tools, dry=dry,
    )  # fmt: skip
    session.print(rows, as_json, lambda row: print(session.say("would_build" if dry else "built", **row)))


@app.command("import")
def import_(
    context: typer.Context,
    name: str,
    file: Path,
    format_: Annotated[str, typer.Option("--format")] = "auto",
    siblings: Annotated[bool, typer.Option("--siblings")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    path = str(file.expanduser().absolute())
    rows = session.call("data.import", home, name=name, path=path, format=format_, siblings=siblings)
    _brought_in(session, rows, as_json)


@app.command()
def samples(
    context: typer.Context,
    sample: Annotated[str, typer.Argument()] = "marv",
    name: Annotated[str, typer.Option("--name")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    _brought_in(session, session.call("data.samples", home, sample=sample, name=name), as_json)


@app.command()
def imports(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("data.imports", home, name=name))
    if as_json:
        session.print(iter(rows), True, print_json)
    else:
        session.table(rows, "import", "file", "format", "status", "read", "known", "skipped")


@app.command("undo-import")
def undo_import(context: typer.Context, number: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("data.undo-import", home, number=number)
    session.print(rows, as_json, lambda row: print(session.say("import_undone", **row)))


@app.command()
def documents(
    context: typer.Context,
    name: str,
    document: Annotated[list[int] | None, typer.Option("--document")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("data.documents", home, name=name, chosen=document)
    session.print(rows, as_json, lambda row: print(session.say("built", **row)))


@app.command()
def propose(
    context: typer.Context,
    name: str,
    document: Annotated[list[int] | None, typer.Option("--document")] = None,
    model: str | None = None,
    most: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    plain: Annotated[bool, typer.Option("--plain")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call(
        "data.propose", home, name=name, chosen=document, model=model, most=most, grounded=False if plain else None
    )
    session.print(rows, as_json, lambda row: _proposed(session, row))


@app.command()
def distil(
    context: typer.Context,
    name: str,
    topic: str | None = None,
    prompts: Annotated[Path | None, typer.Option("--prompts")] = None,
    model: str | None = None,
    persona: str | None = None,
    most: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    given = None
    if prompts is not None:
        try:
            given = [line for line in prompts.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError):
            session.complain(session.say("no_prompts", path=prompts))
            raise typer.Exit(1) from None
    rows = session.call(
        "data.distil", home, name=name, topic=topic, prompts=given, model=model, persona=persona, most=most
    )
    session.print(rows, as_json, lambda row: _proposed(session, row))


data_curate.register(app)
data_files.register(app)


def _proposed(session: Session, row: Row) -> None:
    if "added" in row:
        print(session.say("proposed", **row))
    elif "left" in row:
        session.aside(f"{row['done']}/{row['of']}  {clean(row['left'])}")
    else:
        print(f"{row['done']}/{row['of']}  {clean(row['question'])}")


def _brought_in(session: Session, rows: object, as_json: bool) -> None:
    last: Row = {}
    for row in rows:  # type: ignore[attr-defined]
        last = row
        if as_json:
            print_json(row)
        elif row["status"] == "running" and sys.stderr.isatty():  # one line that is written over; never into a pipe
            sys.stderr.write(f"\r\x1b[K{row['read']:,} · {row['done'] / max(1, row['of']):.0%}")
            sys.stderr.flush()
    if as_json or not last:
        return
    for problem in last["problems"][:20]:
        session.complain(clean(problem["message"]))
    print(session.say("imported", **last))


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone().isoformat()
