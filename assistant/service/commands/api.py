"""`afina api key [show | new | off]`: the key by which other programs talk to the app (assistant.openai_api)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, local, of

app = typer.Typer(no_args_is_help=True)


class Action(StrEnum):
    SHOW = "show"
    NEW = "new"
    OFF = "off"


@app.callback()
def api() -> None:
    """One word below `api` still is a word of its own."""


@app.command()
def key(
    context: typer.Context,
    action: Annotated[Action, typer.Argument()] = Action.SHOW,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)

    def say(row: Row) -> None:
        settings = session.settings(home=home)
        address = f"http://{settings.host}:{settings.port}/v1"
        name = "api_new" if row["key"] else "api_on" if row["on"] else "api_off"
        print(
            session.say(
                name, address=address, secret=row["key"], masked=row["masked"], created_at=local(row["created_at"])
            )
        )

    session.print(session.call("api.key", home, action=action.value), as_json, say)
