"""`afina chats list | show | rename | export | delete`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, clean, local, of, print_json, unescaped

app = typer.Typer(no_args_is_help=True)


class Format(StrEnum):
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"


@app.command("list")
def list_(context: typer.Context, search: str | None = None, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("chats.list", home, search=search))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        rows = [{**row, "updated_at": local(row["updated_at"])} for row in rows]
        session.table(rows, "conversation", "title", "messages", "updated_at")
    else:
        print(session.say("no_chats"))


@app.command()
def show(context: typer.Context, conversation: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def one(row: Row) -> None:
        role = row.get("role", "")
        who = session.say(f"role_{role}") if role in ("user", "assistant") else role
        text = str(row.get("text", ""))
        print(f"{who}: {clean(unescaped(text) if row.get('route') == 'documents' else text)}\n")

    session.print(session.call("chats.show", home, conversation=conversation), as_json, one)


@app.command()
def rename(context: typer.Context, conversation: int, title: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("chats.rename", home, conversation=conversation, title=title)
    session.print(rows, as_json, lambda row: print(session.say("chat_renamed", **row)))


@app.command()
def export(
    context: typer.Context,
    conversation: Annotated[int | None, typer.Argument()] = None,
    format_: Annotated[Format | None, typer.Option("--format")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("chats.export", home, conversation=conversation, format=format_.value if format_ else None)
    session.print(rows, as_json, lambda row: print(row["text"]) if set(row) == {"text"} else print_json(row))


@app.command()
def delete(context: typer.Context, conversation: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("chats.delete", home, conversation=conversation)
    session.print(rows, as_json, lambda row: print(session.say("chat_deleted", conversation=conversation)))
