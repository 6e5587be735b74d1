"""`afina data review | mend | stats | freeze | versions | card | diff | export | take | check | convert | …`"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.service.commands.session import Home, Json, Row, Session, clean, local, of, print_json

SHOWN = 200  # problems of a file that are printed for a person; all are counted


class Split(StrEnum):
    ALL = "all"
    TRAIN = "train"
    VALIDATION = "validation"


def register(app: typer.Typer) -> None:
    for name, command in (
        ("review", review), ("mend", mend), ("stats", stats), ("freeze", freeze), ("versions", versions),
        ("card", card), ("diff", diff), ("export", export), ("take", take), ("check", check), ("convert", convert),
        ("estimate", estimate), ("tokens", tokens),
    ):  # fmt: skip
        app.command(name)(command)


def review(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def show(row: Row) -> None:
        if "findings" in row:
            _progress_done()
            session.table(row["findings"], "code", "title", "examples", "severity")
            print(session.say("reviewed", examples=row["examples"], n=len(row["findings"])))
        else:
            _progress(row)

    session.print(session.call("data.review", home, name=name), as_json, show)


def mend(
    context: typer.Context,
    name: str,
    code: Annotated[list[str] | None, typer.Option("--code")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("data.mend", home, name=name, codes=code)
    session.print(rows, as_json, lambda row: print(session.say("examples_changed", **row)))


def stats(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)

    def show(row: Row) -> None:
        for key, value in row.items():
            print(f"{key}: {_plainly(value)}")

    session.print(session.call("data.stats", home, name=name), as_json, show)


def freeze(
    context: typer.Context,
    name: str,
    share: Annotated[float, typer.Option(min=0, max=0.5)] = 0.1,
    seed: int = 7,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("data.freeze", home, name=name, share=share, seed=seed)
    session.print(rows, as_json, lambda row: print(session.say("frozen", **row)))


def versions(context: typer.Context, name: str, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    rows = list(session.call("data.versions", home, name=name))
    if as_json:
        session.print(iter(rows), True, print_json)
    elif rows:
        rows = [{**row, "created_at": local(row["created_at"])} for row in rows]
        session.table(rows, "version", "label", "examples", "train", "validation", "deleted_chats", "created_at")
    else:
        print(session.say("no_versions"))


def card(
    context: typer.Context,
    name: str,
    version: Annotated[int | None, typer.Option("--version")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    from tuning.datasets.card import markdown

    session = of(context)
    rows = session.call("data.card", home, name=name, number=version)
    session.print(rows, as_json, lambda row: print(clean(markdown(row))))


def diff(context: typer.Context, name: str, before: int, after: int, home: Home = None, as_json: Json = False) -> None:
    session = of(context)
    marks = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}

    def show(row: Row) -> None:
        if "change" in row:
            print(f"{marks[row['change']]} {clean(row['prompt'])}  →  {clean(row['answer'])}")
        else:
            print(session.say("differs", **row))

    session.print(session.call("data.diff", home, name=name, before=before, after=after), as_json, show)


def export(
    context: typer.Context,
    name: str,
    to: Annotated[str, typer.Option("--to")],
    out: Annotated[Path | None, typer.Option("--out", "-o")] = None,
    version: Annotated[int | None, typer.Option("--version")] = None,
    split: Split = Split.TRAIN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    place = out or Path(_file_name(name, to, split))
    rows = session.call(
        "data.export", home, name=name, to=to, out=str(place.expanduser().absolute()), number=version,
        split=split.value,
    )  # fmt: skip
    session.print(rows, as_json, lambda row: _written(session, row))


def take(
    context: typer.Context,
    path: Path,
    name: Annotated[str, typer.Option("--name")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    rows = session.call("data.take", home, path=str(path.expanduser().absolute()), name=name)
    session.print(rows, as_json, lambda row: print(session.say("taken", **row)))


def check(
    context: typer.Context,
    file: Path,
    format_: Annotated[str, typer.Option("--format")] = "openai",
    model: str | None = None,
    validation: Annotated[Path | None, typer.Option("--validation")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session, shown = of(context), 0
    other = str(validation.expanduser().absolute()) if validation else None
    rows = session.call(
        "data.check", home, path=str(file.expanduser().absolute()), format=format_, model=model, validation=other
    )
    last: Row = {}
    for row in rows:
        last = row
        if as_json:
            print_json(row)
        elif "severity" in row and (shown := shown + 1) <= SHOWN:
            place = f"{row['line']}" + (f" {row['field']}" if row["field"] else "")
            print(f"{session.say('severity_' + row['severity'])} {place}: {clean(row['message'])}")
    if not as_json:
        if shown > SHOWN:
            print(session.say("more_problems", n=shown - SHOWN))
        print(session.say("checked", **last))
    if last.get("errors"):
        raise typer.Exit(1)


def convert(
    context: typer.Context,
    file: Path,
    to: Annotated[str, typer.Option("--to")],
    out: Annotated[Path | None, typer.Option("--out", "-o")] = None,
    format_: Annotated[str, typer.Option("--format")] = "auto",
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    place = out or file.with_name(f"{file.stem}.{to}.jsonl")
    rows = session.call(
        "data.convert", home, path=str(file.expanduser().absolute()), to=to, format=format_,
        out=str(place.expanduser().absolute()),
    )  # fmt: skip
    session.print(rows, as_json, lambda row: _written(session, row))


def estimate(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(metavar="[FILE|DATASET]")] = None,
    model: str | None = None,
    epochs: Annotated[int | None, typer.Option("--epochs")] = None,
    batch: Annotated[int | None, typer.Option("--batch")] = None,
    words: int | None = None,
    token_count: Annotated[int | None, typer.Option("--tokens")] = None,
    examples: Annotated[int | None, typer.Option("--examples")] = None,
    price: Annotated[str | None, typer.Option("--price")] = None,
    probe: Annotated[bool, typer.Option("--probe/--no-probe")] = True,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    path, name = _file_or_name(source)
    rows = session.call(
        "data.estimate", home, path=path, name=name, model=model, epochs=epochs, batch=batch, words=words,
        tokens=token_count, examples=examples, price=price, probe=probe,
    )  # fmt: skip

    def show(row: Row) -> None:
        for key in ("examples", "tokens", "epochs", "batch", "steps", "truncated", "price", "seconds", "memory_bytes"):
            if row.get(key) is not None:
                unit = f" {row['currency']}" if key == "price" and row.get("currency") else ""
                print(f"{session.say('estimate_' + key)}: {_plainly(row[key])}{unit}")
        print(f"{session.say('estimate_rule')}: {row['rule']}")
        for note in row.get("notes", ()):
            session.aside(clean(note))

    session.print(rows, as_json, show)


def tokens(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument()] = None,
    model: str | None = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    session = of(context)
    given = text if text is not None else sys.stdin.read()

    def show(row: Row) -> None:
        if "id" in row:
            print(f"{row['id']:>8}  {clean(row['text'])!r}")
        else:
            print(session.say("tokens_counted", **row))

    session.print(session.call("data.tokens", home, text=given, model=model), as_json, show)


def _written(session: Session, row: Row) -> None:
    for one in row.get("lost", ()):
        session.complain(session.say("lost", examples=one["examples"], message=clean(one["message"])))
    for one in row.get("left_out", ()):
        session.complain(session.say("left_out", examples=one["examples"], message=clean(one["message"])))
    print(session.say("written", path=row["path"], n=row.get("rows", row.get("examples", 0))))


def _file_name(name: str, to: str, split: Split) -> str:
    if to == "folder":
        return "."
    return f"{name}.zip" if to == "zip" else f"{name}.{to}.{split.value}.jsonl"


def _file_or_name(source: str | None) -> tuple[str | None, str | None]:
    """A file where there is one, else a dataset's name."""
    if source is None:
        return None, None
    path = Path(source).expanduser()
    return (str(path.absolute()), None) if path.exists() or path.suffix else (None, source)


def _progress(row: Row) -> None:
    if sys.stderr.isatty():  # one line that is written over; never into a pipe
        sys.stderr.write(f"\r\x1b[K{row['done']}/{row['of']}")
        sys.stderr.flush()


def _progress_done() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def _plainly(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plainly(one)}" for key, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(f"≤{one[0]:,}: {one[1]:,}" if one[0] else f"…: {one[1]:,}" for one in value if one[1]) or "–"
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
