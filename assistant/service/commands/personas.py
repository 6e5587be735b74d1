"""`afina personas list | show | add | export | duplicate | edit | remove | restore`.

Removing asks nothing: it is taken back by `restore`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, of

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("personas.list", home))
    if as_json:
        _print(session, rows, True)
    elif rows:
        session.table(rows, "name", "model", "voice")
    else:
        print(session.say("no_personas"))


@app.command()
def show(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def whole(row: Row) -> None:
        import json

        print(clean(json.dumps(row["card"], ensure_ascii=False, indent=2)))
        _aside(session, row)

    session.print(session.call("personas.show", home, name=name), as_json, whole)


@app.command()
def add(context: typer.Context, file: Path, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def added(row: Row) -> None:
        print(session.say("persona_added_as" if row["wanted"] else "persona_added", **row))
        _aside(session, row)

    session.print(session.call("personas.add", home, path=str(file.expanduser().absolute())), as_json, added)


@app.command()
def export(
    context: typer.Context,
    name: str,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """A file that is there is written over only where it was named."""
    session = of(context)

    def save(row: Row) -> None:
        path = to or Path(row["file"])
        try:
            with path.open("w" if to else "x", encoding="utf-8", newline="\n") as file:
                file.write(row["text"])
        except FileExistsError:
            session.complain(session.say("persona_file_there", path=path))
            raise typer.Exit(1) from None
        except OSError as error:
            session.complain(session.say("persona_not_written", path=path, why=error.strerror or error))
            raise typer.Exit(1) from None
        print(session.say("persona_exported", name=row["name"], path=path))

    session.print(session.call("personas.export", home, name=name), as_json, save)


@app.command()
def duplicate(
    context: typer.Context,
    name: str,
    new: Annotated[str | None, typer.Argument()] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    _print(of(context), of(context).call("personas.duplicate", home, name=name, new=new), as_json, "persona_added")


@app.command()
def edit(
    context: typer.Context,
    name: str,
    changes: Annotated[list[str], typer.Option("--set", metavar="FIELD=VALUE")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    rows = of(context).call("personas.edit", home, name=name, changes=changes)
    _print(of(context), rows, as_json, "persona_changed")


@app.command()
def remove(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    _print(of(context), of(context).call("personas.remove", home, name=name), as_json, "persona_removed")


@app.command()
def restore(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument()] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    _print(of(context), of(context).call("personas.restore", home, name=name), as_json, "persona_restored")


def _print(session: Session, rows: object, as_json: bool, key: str = "") -> None:
    def one(row: Row) -> None:
        print(session.say(key, **row))
        _aside(session, row)

    session.print(iter(rows), as_json, one)  # type: ignore[call-overload]


def _aside(session: Session, row: Row) -> None:
    for sentence in row.get("missing", ()):
        session.aside(clean(sentence))
