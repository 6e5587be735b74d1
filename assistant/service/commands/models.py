"""`afina models list | fetch`. Weights are shared by all data folders, so neither verb needs one."""

from __future__ import annotations

from types import TracebackType
from typing import Annotated

import typer

from assistant.service.commands.session import Home, Json, Row, of, print_json

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    from assistant.models_verbs import models_list

    session = of(context)
    rows = list(models_list(session.settings(home=home).weights))
    if as_json:
        session.print(iter(rows), True, print_json)
        return
    for row in rows:
        row["here"] = session.say("yes" if row["present"] else "no")
        row["megabytes"] = round(row["size"] / 1e6)
    session.table(rows, "name", "role", "here", "megabytes", "licence", "source")


@app.command()
def fetch(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    from assistant.models_verbs import models_fetch, models_list

    session = of(context)
    folder = session.settings(home=home).weights
    for name in names or [row["name"] for row in models_list(folder)]:
        steps = models_fetch(folder, [name], stop=session.stop)
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
