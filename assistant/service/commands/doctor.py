"""`afina doctor`: is everything here that the app needs?"""

from __future__ import annotations

from collections.abc import Iterator

import typer

from assistant.service.commands.session import Home, Json, Row, clean, of, print_json


def doctor(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    from assistant.service.doctor import doctor as examine

    session = of(context)
    settings = session.settings(home=home)

    def call(verb: str) -> Iterator[Row]:
        return session.call(verb, home) if settings.home.exists() else iter(())  # a check makes no folder

    failed: list[str] = []
    with session.stoppable(examine(settings, call, session.environment, session.say)) as rows:
        for row in rows:
            if not row["ok"]:
                failed.append(row["check"])
            if as_json:
                print_json(row)
            else:
                print(f"{'✓' if row['ok'] else '✗'} {session.say('check_' + row['check'])}: {clean(row['message'])}")
    if failed:
        session.complain(session.say("doctor_failed", checks=", ".join(failed)))
        raise typer.Exit(1)
