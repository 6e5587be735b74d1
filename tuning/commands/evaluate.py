"""`afina eval job | compare`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, of

app = typer.Typer(no_args_is_help=True)
Metrics = Annotated[list[str] | None, typer.Option("--metric")]


@app.command()
def job(
    context: typer.Context,
    number: int,
    metric: Metrics = None,
    most: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    trained: Annotated[bool, typer.Option("--trained")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("eval.job", home, number=number, metrics=metric, most=most, trained=trained)
    _shown(session, rows, as_json)


@app.command()
def compare(
    context: typer.Context,
    data: Annotated[str, typer.Option("--data")],
    before: Annotated[str, typer.Argument(metavar="A")],
    after: Annotated[str, typer.Argument(metavar="B")],
    metric: Metrics = None,
    most: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    version: Annotated[int | None, typer.Option("--version")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call(
        "eval.compare", home, data=data, before=before, after=after, metrics=metric, most=most, number=version
    )
    _shown(session, rows, as_json)


def _shown(session: Session, rows: Iterator[Row], as_json: bool) -> None:
    def one(row: Row) -> None:
        if "metrics" in row:
            for summary in row["metrics"]:
                print(clean(summary["message"]))
        elif "scores" in row:
            change = "" if row["change"] is None else f"{row['change']:+.2f}  "
            print(f"{change}{clean(row['prompt'])}\n  − {clean(row['before'])}\n  + {clean(row['after'])}\n")
        else:
            session.aside(f"{row['done']}/{row['of']} {row['side']}: {clean(row['text'])}")

    session.print(rows, as_json, one)
