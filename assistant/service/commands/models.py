"""`afina models list | test | add | remove | use | probe | next | keys | fetch`.

Weights are shared by all data folders: `fetch` needs none, and `list` shows the models of one only where there is one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, of, print_json

app = typer.Typer(no_args_is_help=True)
keys = typer.Typer(no_args_is_help=True)
app.add_typer(keys, name="keys")


@app.command("list")
def list_(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    from assistant.models_verbs import weights_list

    session = of(context)
    settings = session.settings(home=home)
    rows = list(weights_list(settings.weights))
    models = list(session.call("models.list", home)) if settings.home.is_dir() else []
    if as_json:
        session.print(iter([*rows, *models]), True, print_json)
        return
    for row in rows:
        row["here"] = session.say("yes" if row["present"] else "no")
        row["megabytes"] = round(row["size"] / 1e6)
    session.table(rows, "name", "role", "here", "megabytes", "licence", "source")
    if models:
        print()
        session.table([_line(session, row) for row in models], "model", "where", "tools", "context", "price", "size")


def _line(session: Session, row: Row) -> Row:
    can = row["capabilities"]
    price = can["price"]
    return {
        "model": f"{row['name']} {session.say('models_in_use')}" if row["default"] else row["name"],
        "where": session.say(f"models_{row['kind']}"),
        "tools": session.say("yes" if can["tools"] else "no"),
        "context": f"{can['context']:,}" if can["context"] else "",
        "price": f"${price['input']:g} / ${price['output']:g} ({price['date']})" if price else "",
        "size": can["size"],
    }


@app.command("test")
def try_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    last: Row = {}

    def shown(row: Row) -> None:
        last.update(row)
        print_json(row) if as_json else print(f"{'✓' if row['ok'] else '✗'} {clean(row['message'])}")

    session.print(session.call("models.test", home, name=name), False, shown)
    if not last.get("ok"):
        raise typer.Exit(1)


@app.command()
def add(
    context: typer.Context,
    name: str,
    title: Annotated[str, typer.Option("--title")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    if name.startswith("hf:") and (folder := Path(name[3:]).expanduser()).is_dir():
        name = f"hf:{folder.absolute()}"  # the app may have been started elsewhere
    rows = session.call("models.add", home, name=name, title=title)
    session.print(rows, as_json, lambda row: print(session.say("model_added", name=row["name"])))


@app.command()
def remove(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("models.remove", home, name=name)
    session.print(rows, as_json, lambda row: print(session.say("model_removed", name=row["name"])))


@app.command()
def use(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("models.use", home, name=name)
    session.print(rows, as_json, lambda row: print(session.say("model_used", name=row["name"])))


@app.command()
def probe(context: typer.Context, address: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("models.probe", home, address=address))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        lines = [{"model": row["name"], "context": row["context"] or "", "size": row["size"]} for row in rows]
        session.table(lines, "model", "context", "size")
    else:
        print(session.say("models_none_there", address=address))


@app.command("next")
def next_(
    context: typer.Context,
    text: str,
    temperature: Annotated[float | None, typer.Option("--temperature")] = None,
    top_k: Annotated[int | None, typer.Option("--top-k")] = None,
    top_p: Annotated[float | None, typer.Option("--top-p")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = list(session.call("models.next", home, text=text, temperature=temperature, top_k=top_k, top_p=top_p))
    if as_json:
        session.print(iter(rows), True, print_json)
        return
    lines = [
        {
            "token": repr(row["piece"]),
            "before": f"{row['before']:.1%}",
            "after": f"{row['after']:.1%}" if row["kept"] else "",
            "cut": row["cut"].replace("_", "-"),
        }
        for row in rows[:-1]
    ]
    session.table(lines, "token", "before", "after", "cut")


@keys.command("list")
def keys_list(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("models.keys", home))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        session.table(rows, "provider", "source", "masked")
    else:
        print(session.say("keys_none"))


@keys.command("set")
def keys_set(context: typer.Context, provider: str, home: Home = None, as_json: Json = False) -> None:
    """Never from the command's own words: those are kept in histories and seen by others."""
    session = of(context)
    secret = typer.prompt(session.say("keys_prompt"), hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    rows = session.call("models.keys.set", home, provider=provider, secret=secret.strip())
    session.print(rows, as_json, lambda row: print(session.say("keys_kept", **row)))


@keys.command("forget")
def keys_forget(context: typer.Context, provider: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = session.call("models.keys.forget", home, provider=provider)
    session.print(rows, as_json, lambda row: print(session.say("keys_forgotten", **row)))


@app.command()
def fetch(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    from assistant.models_verbs import weights_fetch, weights_list

    session = of(context)
    folder = session.settings(home=home).weights
    for name in names or [row["name"] for row in weights_list(folder)]:
        steps = weights_fetch(folder, [name], stop=session.stop)
        with session.stoppable(steps) as rows, _Bar(name) as bar:
            session.print(rows, as_json, bar.show)
        if not as_json:
            print(session.say("fetched", name=name, folder=folder / name))


class _Bar:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._progress.add_task(name, total=None)
        self._name = name

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, row: Row) -> None:
        label = f"{self._name} ({row['source']})" if row["source"] else self._name
        self._progress.update(self._task, completed=row["done"], total=row["total"] or None, description=label)
