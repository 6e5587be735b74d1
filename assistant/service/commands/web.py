"""`afina web engines | use NAME [ADDRESS]`: which search engine the web is searched with."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, of, print_json

app = typer.Typer(no_args_is_help=True)


@app.command()
def engines(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("web.engines", home))
    if as_json:
        session.print(iter(rows), True, print_json)
        return
    for row in rows:
        row["chosen"] = session.say("yes" if row["chosen"] else "no")
        row["needs"] = row["needs"] and session.say(f"engine_needs_{row['needs']}")
    session.table(rows, "engine", "chosen", "needs", "address")


@app.command()
def use(
    context: typer.Context,
    engine: str,
    address: Annotated[str | None, typer.Argument()] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)

    def say(row: Row) -> None:
        if row["chosen"]:
            print(session.say("engine_chosen", **row))
            if row["needs"]:
                print(session.say(f"engine_lacks_{row['needs']}", **row))

    session.print(session.call("web.use", home, engine=engine, address=address), as_json, say)
