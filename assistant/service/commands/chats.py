"""`afina chats list | show | rename | export | delete`."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, clean, of, print_json

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(context: typer.Context, search: str | None = None, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("chats.list", home, search=search))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        session.table(rows, "conversation", "title", "messages", "updated_at")
    else:
        print(session.say("no_chats"))


@app.command()
def show(context: typer.Context, conversation: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def one(row: Row) -> None:
        role = row.get("role", "")
        who = session.say(f"role_{role}") if role in ("user", "assistant") else role
        print(f"{who}: {clean(row.get('text', ''))}\n")

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
    format_: Annotated[str | None, typer.Option("--format")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("chats.export", home, conversation=conversation, format=format_)
    session.print(rows, as_json, lambda row: print(row["text"]) if set(row) == {"text"} else print_json(row))


@app.command()
def delete(context: typer.Context, conversation: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("chats.delete", home, conversation=conversation)
    session.print(rows, as_json, lambda row: print(session.say("chat_deleted", conversation=conversation)))
