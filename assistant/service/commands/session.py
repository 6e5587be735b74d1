"""In: what a command was given. Out: the verb's rows, printed for a person or one JSON object per line.

One Session per process, made by app.py and found in every command's context: it reads the settings once and knows the
terminal's language. `localise` puts the whole command tree's help into that language.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from assistant.service.say import Say

if TYPE_CHECKING:
    from assistant.service.parts import Parts
    from assistant.service.serving import Build
    from assistant.service.settings import Settings

Row = dict[str, Any]
Home = Annotated[Path | None, typer.Option("--home", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json")]


class Session:
    def __init__(
        self,
        say: Say,
        read: Callable[..., Settings],
        make: Callable[[Settings], Parts],
        build: Build,
        environment: Mapping[str, str],
    ) -> None:
        self.say, self.make, self.build, self.environment = say, make, build, environment
        self._read = read
        self.stop = threading.Event()
        self._settings: Settings | None = None

    def settings(self, **given: Any) -> Settings:
        """Read at the first call; what the command line named (None: it did not) wins over the environment."""
        if self._settings is None:
            self._settings = self._read(**{name: value for name, value in given.items() if value is not None})
        return self._settings

    def call(self, verb: str, home: Path | None, **arguments: Any) -> Iterator[Row]:
        """The verb's rows; arguments left at None are not sent, so that the verb's own default holds."""
        from assistant.service.verbs_client import call

        given = {name: value for name, value in arguments.items() if value is not None}
        with self.stoppable(
            call(self.settings(home=home), verb, given, self.stop, self.say.language, self.make)
        ) as rows:
            yield from rows

    @contextmanager
    def stoppable(self, rows: Iterator[Row]) -> Iterator[Iterator[Row]]:
        """Ctrl-C stops the work where it is done, in this process or in the app; exit code 130."""
        with closing(cast("Generator[Row, None, None]", rows)) as open_rows:
            try:
                yield open_rows
            except KeyboardInterrupt:
                self.stop.set()
                self.complain(self.say("stopped"))
                raise typer.Exit(130) from None

    def print(self, rows: Iterator[Row], as_json: bool, show: Callable[[Row], object]) -> int:
        """Each row as it comes. Returns how many there were."""
        count = 0
        for row in rows:
            count += 1
            print_json(row) if as_json else show(row)
        return count

    def complain(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    def aside(self, message: str) -> None:
        """On stderr, dim where that can be seen: what a person may want to know, and no program."""
        dim = sys.stderr.isatty() and not self.environment.get("NO_COLOR")
        print(f"\x1b[2m{message}\x1b[0m" if dim else message, file=sys.stderr, flush=True)

    def table(self, rows: list[Row], *columns: str) -> None:
        """For a person. Text from documents is printed as it stands: no markup in it is obeyed."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            numeric = bool(rows) and all(isinstance(row.get(column), int | float) for row in rows)
            table.add_column(self.say(f"column_{column}"), justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*(Text(_cell(row.get(column, ""))) for column in columns))
        Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


def of(context: typer.Context) -> Session:
    return cast("Session", context.find_root().obj)


def localise(command: Any, say: Say, name: str = "afina") -> None:
    """Help of a command, its options and what lies below it, from words/*.json: help_docs_add, option_home …

    An option that means another thing in a group has a key of its own there: option_data_name before option_name."""
    command.help = command.short_help = say(f"help_{name}")
    group = name.split("_")[0]
    for parameter in command.params:
        if parameter.name != "help" and hasattr(parameter, "help"):
            own = f"option_{group}_{parameter.name}"
            parameter.help = say(own if say.knows(own) else f"option_{parameter.name}")
    for child in getattr(command, "commands", {}).values():
        localise(child, say, child.name if name == "afina" else f"{name}_{child.name}")


def print_json(row: Row) -> None:
    print(json.dumps(row, ensure_ascii=False, default=str), flush=True)


def clean(text: object) -> str:
    """Without control characters: a document must not move the cursor or ring the bell."""
    return "".join(letter for letter in str(text) if letter.isprintable() or letter in "\n\t")


_CODE_OR_ESCAPE = re.compile(r"(?s)```.*?(?:```|$)|`[^`\n]*`|\\([!-/:-@\[-`{-~])|\\$")


def unescaped(text: str) -> str:
    """Markdown's backslashes are for the page: `3M\\_2018\\_10K.pdf` → `3M_2018_10K.pdf`. Code keeps its own. A
    backslash at the very end is left out: in a text that grows, it is half of an escape."""
    return _CODE_OR_ESCAPE.sub(lambda found: found[1] or ("" if found[0] == "\\" else found[0]), text)


def local(stamp: object) -> str:
    """A stored UTC stamp as this machine's clock has it: 2026-01-02 09:30."""
    try:
        return datetime.fromisoformat(str(stamp)).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return str(stamp)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return clean(value) if value is not None else ""
