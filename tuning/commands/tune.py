"""`afina tune recipes | estimate | start | list | show | watch | cancel | resume | remove | publish`."""

from __future__ import annotations

import json
import sys
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


Data = Annotated[str, typer.Option("--data")]
Method = Annotated[str, typer.Option("--method")]
Base = Annotated[str | None, typer.Option("--base")]
Version = Annotated[int | None, typer.Option("--version")]
With = Annotated[list[str] | None, typer.Option("--set", metavar="FIELD=VALUE")]
Minutes = Annotated[float | None, typer.Option("--minutes", min=0.01)]


@app.command()
def estimate(
    context: typer.Context,
    data: Data,
    method: Method = "lora",
    base: Base = None,
    version: Version = None,
    minutes: Minutes = None,
    with_: With = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    settings = _settings(session, with_ or [], minutes)
    row = _takes(session, home, data=data, method=method, base=base, number=version, settings=settings)
    print_json(row) if as_json else _show_takes(session, row)


@app.command()
def start(
    context: typer.Context,
    data: Data,
    method: Method = "lora",
    base: Base = None,
    name: Annotated[str, typer.Option("--name")] = "",
    version: Version = None,
    minutes: Minutes = None,
    with_: With = None,
    measure: Annotated[bool, typer.Option("--estimate/--no-estimate")] = True,
    anyway: Annotated[bool, typer.Option("--anyway")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    asked = {"data": data, "method": method, "base": base, "number": version}
    settings = _settings(session, with_ or [], minutes)
    if measure:
        row = _takes(session, home, **asked, settings=settings)
        print_json({"estimate": row}) if as_json else _show_takes(session, row)
        if not anyway and not (row["enough_memory"] and row["enough_disk"]):
            session.complain(session.say("tune_too_small"))
            raise typer.Exit(1)
    rows = session.call("tune.start", home, **asked, name=name, settings=settings)
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
def resume(
    context: typer.Context, number: int, minutes: Minutes = None, home: Home = None, as_json: Json = False
) -> None:
    _one(context, "resume", number, home, as_json, minutes=minutes)


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


def _one(
    context: typer.Context, verb: str, number: int, home: Path | None, as_json: bool, **more: float | None
) -> None:
    session = of(context)
    rows = session.call(f"tune.{verb}", home, number=number, **more)
    session.print(rows, as_json, lambda row: print(session.say("job_is", number=row["job"], **row)))


def _takes(session: Session, home: Path | None, **asked: Any) -> Row:
    """The estimate; what is being done stands on the terminal meanwhile."""
    row: Row = {}
    for row in session.call("tune.estimate", home, **asked):
        if "what" in row and sys.stderr.isatty():
            session.aside(session.say(f"tune_{row['what']}"))
    return row


def _show_takes(session: Session, row: Row) -> None:
    told = {
        "examples": row["examples"], "tokens": row["tokens"], "steps": row["steps"], "truncated": row["truncated"],
        "price": row["price"], "seconds": row["seconds"], "memory_bytes": row["memory_bytes"],
        "disk_bytes": row["disk_bytes"],
    }  # fmt: skip
    for key, value in told.items():
        if value is not None:
            unit = session.say("tune_here") if key == "price" else ""
            print(f"{session.say(f'estimate_{key}')}: {value:,.10g}{unit}")
    if row["capped"]:
        session.aside(session.say("tune_capped"))
    if row["problem"]:
        session.complain(row["problem"])


def _settings(session: Session, given: list[str], minutes: float | None = None) -> dict[str, Any]:
    for one in given:
        name, equal, _ = one.partition("=")
        if not equal or not name:
            session.complain(session.say("no_setting", setting=one))
            raise typer.Exit(2)
    return {**({} if minutes is None else {"time_cap": minutes * 60}), **settings_of(given)}


def settings_of(given: list[str]) -> dict[str, Any]:
    """FIELD=VALUE, the value as JSON where it is JSON; a dot goes into a part: lora.r=8."""
    found: dict[str, Any] = {}
    for one in given:
        name, _, text = one.partition("=")
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
