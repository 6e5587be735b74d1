"""`afina tune export | import | history | rollback`: beside the others of `afina tune`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, local, of
from tuning.commands.tune import app

__all__ = ["app"]
Persona = Annotated[str, typer.Option("--persona")]


@app.command("export")
def export_(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o")],
    number: Annotated[int | None, typer.Argument(metavar="[JOB]")] = None,
    persona: Persona = "",
    of_version: Annotated[int | None, typer.Option("--version")] = None,
    kind: Annotated[str, typer.Option("--as")] = "adapter",
    type_: Annotated[str, typer.Option("--type")] = "f16",
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call(
        "tune.export", home, number=number, persona=persona, version=of_version, kind=kind, precision=type_,
        out=str(out.expanduser().absolute()),
    )  # fmt: skip
    _shown(session, rows, as_json, "tune_exported")


@app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FOLDER")],
    persona: Persona,
    trained_on: Annotated[str, typer.Option("--base")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("tune.import", home, path=str(path.expanduser().absolute()), persona=persona, base=trained_on)
    _shown(session, rows, as_json, "tune_imported")


@app.command()
def history(
    context: typer.Context,
    persona: Annotated[str, typer.Argument(metavar="PERSONA")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    found = list(session.call("tune.history", home, persona=persona))
    if as_json:
        session.print(iter(found), True, print)
    elif found:
        session.table([_told(session, row) for row in found], "version", "now", "date", "kind", "made_of", "measured")
    else:
        print(session.say("tune_no_history", persona=clean(persona)))


@app.command()
def rollback(
    context: typer.Context,
    persona: Annotated[str, typer.Argument(metavar="PERSONA")],
    to: Annotated[int | None, typer.Option("--to")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("tune.rollback", home, persona=persona, to=to)
    session.print(rows, as_json, lambda row: print(session.say("tune_gone_back", **row)))


def _shown(session: Session, rows: Any, as_json: bool, word: str) -> None:
    def one(row: Row) -> None:
        if "what" in row:
            if sys.stderr.isatty():  # one line that is written over; never into a pipe
                sys.stderr.write(f"\r\x1b[K{session.say('tune_what_' + row['what'])} {row['done']}/{row['of']}")
                sys.stderr.flush()
            return
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
        print(clean(session.say(word, **row)))

    session.print(rows, as_json, one)


def _told(session: Session, row: Row) -> Row:
    """A version in one line of a table."""
    told = [f"{name} {value:.3g}" for name, value in row["evaluation"].items()]
    doubts = [session.say(f"tune_although_{doubt}") for doubt in row["although"]]
    return {
        **row,
        "now": "*" if row["current"] else "",
        "date": local(row["date"]),
        "kind": session.say(f"tune_kind_{row['kind']}"),
        "made_of": row["dataset"] or row["source"] or row["base"],
        "measured": ", ".join([*doubts, *told]),
    }
