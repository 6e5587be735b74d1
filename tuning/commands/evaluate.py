"""`afina eval job | compare`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, of

app = typer.Typer(no_args_is_help=True)
Metrics = Annotated[list[str] | None, typer.Option("--metric")]


class Part(StrEnum):
    UNSEEN = "unseen"
    TRAINED = "trained"
    GENERAL = "general"


@app.command()
def job(
    context: typer.Context,
    number: int,
    metric: Metrics = None,
    part: Annotated[list[Part] | None, typer.Option("--part")] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    tokens: Annotated[int, typer.Option(min=1, max=4_000)] = 80,
    judge: Annotated[str | None, typer.Option("--judge")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call(
        "eval.job", home, number=number, metrics=metric, parts=part, most=most, tokens=tokens, judge=judge
    )
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
        if "metrics" in row or "parts" in row:
            for part, told in row["parts"].items() if "parts" in row else (("", row["metrics"]),):
                if part:
                    print(session.say(f"eval_{part}"))
                for summary in told:
                    print(clean(summary["message"]))
            for summary in row.get("foreseen", []):
                print(clean(summary["message"]))
            for name in ("learning", "forgetting", "judge"):
                if name in row:
                    print(clean(row[name]["message"]))
        elif "scores" in row:
            change = "" if row["change"] is None else f"{row['change']:+.2f}  "
            print(f"{change}{clean(row['prompt'])}\n  − {clean(row['before'])}\n  + {clean(row['after'])}\n")
        else:
            session.aside(f"{row['done']}/{row['of']} {row['side']}: {clean(row['text'])}")

    session.print(rows, as_json, one)
