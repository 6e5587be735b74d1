"""`afina tools list | on | off | run` and `afina mcp add | list | test | remove`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.service.commands.session import Home, Json, Row, clean, of, print_json

app = typer.Typer(no_args_is_help=True)
mcp = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("tools.list", home))
    if as_json:
        session.print(iter(rows), True, print_json)
        return
    for row in rows:
        row["on"] = session.say("yes" if row["on"] else "no")
        row["asks"] = session.say("yes" if row["effect"] in ("reaches", "writes") else "no")
    session.table(rows, "tool", "title", "on", "asks", "source")


@app.command()
def on(context: typer.Context, tool: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    said = "web_is_on" if tool == "web" else "tool_is_on"
    session.print(session.call("tools.on", home, name=tool), as_json, lambda row: print(session.say(said, **row)))


@app.command()
def off(context: typer.Context, tool: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    said = "web_is_off" if tool == "web" else "tool_is_off"
    session.print(session.call("tools.off", home, name=tool), as_json, lambda row: print(session.say(said, **row)))


@app.command()
def run(
    context: typer.Context,
    tool: str,
    arguments: Annotated[str, typer.Argument(metavar="JSON")] = "{}",
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    try:
        given: Any = json.loads(arguments)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        session.complain(session.say("no_object", example='{"expression": "12 * 3"}'))
        raise typer.Exit(2)
    rows = session.call("tools.run", home, name=tool, arguments=given)
    session.print(rows, as_json, lambda row: print(clean(row["text"])))


@mcp.command()
def add(
    context: typer.Context,
    config: Annotated[str, typer.Argument(metavar="FILE|JSON")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    text = config
    if not config.lstrip().startswith("{"):
        try:
            text = Path(config).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            session.complain(session.say("no_config", path=config))
            raise typer.Exit(1) from None

    def say(row: Row) -> None:
        print(session.say("server_added_program" if row["kind"] == "program" else "server_added", **row))
        _show(session, row)

    session.print(session.call("mcp.add", home, config=text), as_json, say)


@mcp.command("list")
def list_servers(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("mcp.list", home))
    if as_json:
        session.print(iter(rows), True, print_json)
        return
    for row in rows:
        row["on"] = session.say("yes" if row["on"] else "no")
        row["config"] = json.dumps(row["config"], ensure_ascii=False)
        row["tools"] = len(row["tools"])
    session.table(rows, "server", "on", "tools", "message", "config")


@mcp.command("test")
def try_server(context: typer.Context, server: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    session.print(session.call("mcp.test", home, name=server), as_json, lambda row: _show(session, row))


@mcp.command()
def remove(context: typer.Context, server: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("mcp.remove", home, name=server)
    session.print(rows, as_json, lambda row: print(session.say("server_removed", **row)))


def _show(session: Any, row: Row) -> None:
    if row["message"]:
        session.complain(clean(row["message"]))
    for tool in row["tools"]:
        print(f"  {clean(tool)}")
