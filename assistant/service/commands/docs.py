"""`afina docs add | list | search | show | remove | check | evaluate`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import ForPerson
from assistant.service.commands.session import Home, Json, Row, Session, clean, of, print_json
from assistant.service.say import Say

# What a folder is searched for; a file named outright is always tried.
SUFFIXES = (".pdf", ".txt", ".md", ".markdown", ".csv", ".tsv")
BY_HAND = ("file_missing", "file_changed")  # the bytes are gone: only a person has them
GOOD = ("ready", "ready_partial")

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    context: typer.Context,
    sources: Annotated[list[str], typer.Argument(metavar="PATH|URL...")],
    title: str | None = None,
    password: Annotated[bool, typer.Option("--password")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    secret = typer.prompt(session.say("password"), hide_input=True, err=True) if password else None
    paths = _files(sources, session.say)
    failed = False
    for row in session.call("docs.add", home, paths=paths, title=title, password=secret):
        failed |= _added(session, row, as_json)
    if failed:
        raise typer.Exit(1)


@app.command("list")
def list_(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("docs.list", home))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        session.table(rows, "document", "title", "status", "pages", "message")
    else:
        print(session.say("no_documents"))


@app.command()
def search(
    context: typer.Context,
    query: str,
    k: Annotated[int, typer.Option("-k", min=1, max=100)] = 8,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)

    def show(row: Row) -> None:
        place = session.say("page_of", title=clean(row["title"]), page=row["page"])
        print(f"{place}  ({row['score']:.2f})\n   " + clean(row["text"]).replace("\n", "\n   ") + "\n")

    if not session.print(session.call("docs.search", home, query=query, k=k), as_json, show) and not as_json:
        print(session.say("nothing_found"))


@app.command()
def show(
    context: typer.Context,
    document: int,
    page: Annotated[int | None, typer.Option("--page", min=1)] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)

    def one(row: Row) -> None:
        if "text" in row:
            print(clean(row["text"]))
        else:
            session.table([row], "document", "title", "status", "pages", "message")

    session.print(session.call("docs.show", home, document=document, page=page), as_json, one)


@app.command()
def remove(context: typer.Context, document: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("docs.remove", home, document=document)
    session.print(rows, as_json, lambda row: print(session.say("removed", document=document)))


@app.command()
def check(context: typer.Context, repair: bool = False, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("docs.check", home, repair=repair))

    def one(row: Row) -> None:
        done = f" ({session.say('repaired')})" if row.get("repaired") else ""
        print(f"{row.get('code', '')}: {clean(row.get('message', ''))}{done}")

    session.print(iter(rows), as_json, one)
    if not rows and not as_json:
        print(session.say("all_well"))
    left = [row for row in rows if not row.get("repaired", False)]
    if repair and rows and not as_json:
        print(session.say("mended", n=len(rows) - len(left)))
    if left:
        helps = not repair and any(row["code"] not in BY_HAND for row in left)
        session.complain(session.say("not_repaired") if helps else session.say("by_hand", n=len(left)))
        raise typer.Exit(1)


@app.command()
def evaluate(context: typer.Context, file: Path, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def show(row: Row) -> None:
        if "n" in row:
            print(
                "  ".join(
                    f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
                )
            )

    session.print(session.call("docs.evaluate", home, path=str(file.expanduser().absolute())), as_json, show)


def _added(session: Session, row: Row, as_json: bool) -> bool:
    """Print one row of `docs add`; whether it says that a source could not be used."""
    last = "path" in row
    failed = last and row.get("status") not in GOOD
    if as_json:
        print_json(row)
    elif not last:
        _progress(row)
    elif not failed:
        print(session.say("added", **{**row, "title": clean(row["title"])}))
        if row.get("message"):
            print("  " + clean(row["message"]))
    if failed:
        session.complain(f"{row['path']}: {clean(row.get('message') or row.get('status', ''))}")
    return failed


def _progress(row: Row) -> None:
    if sys.stderr.isatty():  # one line that is written over; never into a pipe
        pages = f" {row.get('pages_ready', 0)}/{row['pages']}" if row.get("pages") else ""
        sys.stderr.write(f"\r\x1b[K{clean(row.get('title', ''))[:60]}: {row.get('status', '')}{pages}\r")
        sys.stderr.flush()


def _files(sources: list[str], say: Say) -> list[str]:
    """Absolute, because the app that does the work has a working folder of its own. A folder stands for its files."""
    paths: list[str] = []
    for source in sources:
        if re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE):
            raise ForPerson(say("urls_later", url=source))
        path = Path(source).expanduser().absolute()
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
            if not inside:
                raise ForPerson(say("empty_folder", path=path))
            paths.extend(map(str, inside))
        else:
            paths.append(str(path))
    return paths
