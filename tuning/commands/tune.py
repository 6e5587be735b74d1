"""`afina tune recipes | start | list | show | watch | cancel | resume | remove | publish`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, local, of, print_json

app = typer.Typer(no_args_is_help=True)


@app.command("recipes")
def recipes_(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("tune.recipes", home))
    if as_json:
        session.print(iter(rows), True, print_json)
    else:
        session.table(rows, "recipe", "method", "epochs", "learning_rate", "batch")


@app.command()
def start(
    context: typer.Context,
    data: Annotated[str, typer.Option("--data")],
    method: Annotated[str, typer.Option("--method")] = "lora",
    base: Annotated[str | None, typer.Option("--base")] = None,
    name: Annotated[str, typer.Option("--name")] = "",
    version: Annotated[int | None, typer.Option("--version")] = None,
    with_: Annotated[list[str] | None, typer.Option("--set", metavar="FIELD=VALUE")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    settings = _settings(session, with_ or [])
    rows = session.call(
        "tune.start", home, data=data, method=method, base=base, name=name, number=version, settings=settings
    )
    session.print(rows, as_json, lambda row: print(session.say("job_made", **row)))


@app.command("list")
def list_(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("tune.list", home))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        rows = [{**row, "created_at": local(row["created_at"])} for row in rows]
        session.table(rows, "job", "name", "status", "step", "steps", "best_loss", "dataset", "created_at")
    else:
        print(session.say("no_jobs"))


@app.command()
def show(context: typer.Context, number: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def one(row: Row) -> None:
        for key, value in row.items():
            print(f"{key}: {clean(json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value)}")

    session.print(session.call("tune.show", home, number=number), as_json, one)


@app.command()
def watch(context: typer.Context, number: int, home: Home = None, as_json: Json = False) -> None:
    session, last = of(context), dict[str, Any]()

    def one(row: Row) -> None:
        if "status" in row:
            last.update(row)
        elif "samples" in row:
            for sample in row["samples"]:
                print(f"  {clean(sample['prompt'])}  →  {clean(sample['text'])}")
        else:
            print("  ".join(f"{key} {_short(value)}" for key, value in row.items() if key != "number"))

    session.print(session.call("tune.watch", home, number=number), as_json, one)
    if not as_json and last:
        print(session.say("job_is", **last))
    if last.get("status") == "failed":
        raise typer.Exit(1)


@app.command()
def cancel(context: typer.Context, number: int, home: Home = None, as_json: Json = False) -> None:
    _one(context, "cancel", number, home, as_json)


@app.command()
def resume(context: typer.Context, number: int, home: Home = None, as_json: Json = False) -> None:
    _one(context, "resume", number, home, as_json)


@app.command()
def remove(context: typer.Context, number: int, home: Home = None, as_json: Json = False) -> None:
    _one(context, "remove", number, home, as_json)


@app.command()
def publish(
    context: typer.Context,
    number: int,
    persona: Annotated[str, typer.Option("--persona")],
    anyway: Annotated[bool, typer.Option("--anyway")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("tune.publish", home, number=number, persona=persona, anyway=anyway)
    session.print(rows, as_json, lambda row: print(session.say("job_published", **row)))


def _one(context: typer.Context, verb: str, number: int, home: Path | None, as_json: bool) -> None:
    session = of(context)
    rows = session.call(f"tune.{verb}", home, number=number)
    session.print(rows, as_json, lambda row: print(session.say("job_is", number=row["job"], **row)))


def _settings(session: Session, given: list[str]) -> dict[str, Any]:
    """FIELD=VALUE, the value as JSON where it is JSON; a dot goes into a part: lora.r=8."""
    found: dict[str, Any] = {}
    for one in given:
        name, equal, text = one.partition("=")
        if not equal or not name:
            session.complain(session.say("no_setting", setting=one))
            raise typer.Exit(2)
        try:
            value: Any = json.loads(text)
        except ValueError:
            value = text
        *parts, last = name.split(".")
        place = found
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value
    return found


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else clean(value)
