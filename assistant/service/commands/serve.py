"""`afina serve`, which is also `afina` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.service.commands.session import Home, of


def serve(
    context: typer.Context,
    host: str | None = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    home: Home = None,
    open_: Annotated[bool, typer.Option("--open/--no-open")] = True,
) -> None:
    start(context, home, host, port, open_)


def alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        start(context, None, None, None, True)


def start(context: typer.Context, home: Path | None, host: str | None, port: int | None, browser: bool) -> None:
    from assistant.service import serving

    session = of(context)

    def ready(address: str) -> None:
        print(session.say("serving", address=address), flush=True)
        if browser:
            serving.open_browser(address, session.environment)

    settings = session.settings(home=home, host=host, port=port)
    serving.serve(settings, session.build, ready=ready, make=session.make)
