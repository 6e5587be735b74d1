"""From chats and files to datasets and back: examples a second and peak memory at 1,000, 100,000 and 1,000,000 rows.

    python -m benchmarks.data [--rows 1000 100000] [--chats 200 20000] [--only convert …]

Rows are made up (tests/tuning/generated.py): chats of three messages, some 430 bytes each, none twice. Every step runs
in a process of its own, whose peak memory is the system's own figure. "stock" is what people write with Hugging Face's
`datasets`: load_dataset, map, to_json; it keeps no provenance, tells nothing of what is lost and undoes nothing.

build     liked answers of the chat history → a draft
import    a JSONL file → a draft: parsed, told apart, kept once, indexed for search, all or nothing
freeze    what is approved → a version, split by conversation (without the search for near-duplicates)
export    the version → OpenAI's JSONL, losses counted
convert   JSONL → Vertex's, without a database
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from tests.tuning.generated import plain_rows


def make(path: Path, rows: int) -> None:
    with path.open("wb") as file:
        for seed in range(0, rows, 10_000):
            file.writelines(plain_rows(min(10_000, rows - seed), seed))


def _datasets(home: Path) -> Any:
    from assistant.history import History
    from knowledge.store.database import connect
    from tuning.datasets import Datasets

    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    return Datasets(engine, History(engine))


def seed_chats(home: Path, chats: int) -> None:
    """Ten exchanges each, every other answer liked. Fifty are written as by a person; the others are copies of them
    in SQL, each with words of its own: a million asked one by one would take hours."""
    from assistant.history import History
    from knowledge.store.database import connect

    engine = connect(f"sqlite:///{(home / 'afina.sqlite3').as_posix()}")
    history = History(engine)
    written = min(chats, 50)
    for number in range(written):
        conversation, parent = history.create().id, None
        for turn in range(10):
            question = history.ask(conversation, f"Question {turn} of chat c{number:06}, about bridges?", parent)
            answer = history.begin(conversation, question.id)
            history.finish(answer.id, text=f"This is answer {turn} of chat c{number:06}: bridges are built of stone.")
            if turn % 2:
                history.rate(answer.id, True)
            parent = answer.id
    with engine.begin() as connection:
        for copy in range(1, -(-chats // written)):
            for table, keys in COPIED.items():
                connection.exec_driver_sql(_copying(connection, table, keys, copy, written))
        connection.exec_driver_sql(f"DELETE FROM messages WHERE conversation_id > {chats}")
        connection.exec_driver_sql(f"DELETE FROM conversations WHERE id > {chats}")


COPIED = {  # table → its keys, and how far apart two copies' keys lie
    "conversations": {"id": "c", "chosen": "m"},
    "messages": {"id": "m", "conversation_id": "c", "parent_id": "m", "chosen": "m"},
    "ratings": {"id": "r", "message_id": "m"},
}
WORDED = {"title", "title_folded", "text", "text_folded"}


def _copying(connection: Any, table: str, keys: dict[str, str], copy: int, written: int) -> str:
    apart = {"c": written, "m": written * 20, "r": written * 5}
    columns = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]

    def told(column: str) -> str:
        if column in keys:
            return f"{column} + {copy * apart[keys[column]]}"
        return f"replace({column}, 'chat c', 'chat c{copy}x')" if column in WORDED else column

    into, what = ", ".join(columns), ", ".join(map(told, columns))
    return f"INSERT INTO {table} ({into}) SELECT {what} FROM {table} WHERE id <= {apart[keys['id']]}"


def build(home: Path, file: Path) -> int:
    from tuning.sources.chats import ChatFilter, Shape, gather
    from tuning.sources.speech import Cast

    datasets = _datasets(home)
    found = gather(datasets._history, ChatFilter(rating="liked"), Shape(turns="exchange"), Cast())
    added: int = datasets.add(datasets.create("chats").id, found).added
    return added


def take_in(home: Path, file: Path) -> int:
    from tuning.verbs.gather import data_import

    return int(list(data_import(_datasets(home), name="rows", path=str(file), format="openai"))[-1]["read"])


def freeze(home: Path, file: Path) -> int:
    from tuning.datasets import Filter, Status

    datasets = _datasets(home)
    number = datasets.get("rows").id
    datasets.set_status(number, Filter(), Status.APPROVED)
    return int(datasets.freeze(number).card["counts"]["examples"])


def export(home: Path, file: Path) -> int:
    from tuning.verbs.versions import data_export

    rows = data_export(_datasets(home), name="rows", to="openai", out=str(home / "out.jsonl"), split="all")
    return int(next(rows)["rows"])


def convert(home: Path, file: Path) -> int:
    from tuning.verbs.files import data_convert

    return int(next(data_convert(path=str(file), to="vertex", out=str(home / "v.jsonl"), format="openai"))["rows"])


def stock_convert(home: Path, file: Path) -> int:
    from datasets import load_dataset

    def vertex(row: dict[str, Any]) -> dict[str, Any]:
        turns = [one for one in row["messages"] if one["role"] != "system"]
        system = [one["content"] for one in row["messages"] if one["role"] == "system"]
        role = {"user": "user", "assistant": "model"}
        contents = [{"role": role[one["role"]], "parts": [{"text": one["content"]}]} for one in turns]
        return {"systemInstruction": {"parts": [{"text": text} for text in system]}, "contents": contents}

    table = load_dataset("json", data_files=str(file), split="train", cache_dir=str(home / "hf"))
    table.map(vertex, remove_columns=table.column_names).to_json(str(home / "stock.jsonl"), force_ascii=False)
    return len(table)


def stock_import(home: Path, file: Path) -> int:
    """Loaded, exact duplicates left out, kept on disk as Arrow."""
    from datasets import load_dataset

    seen = set[str]()

    def new(row: dict[str, Any]) -> bool:
        key = json.dumps(row["messages"], sort_keys=True)
        fresh = key not in seen
        seen.add(key)
        return fresh

    table = load_dataset("json", data_files=str(file), split="train", cache_dir=str(home / "hf2")).filter(new)
    table.save_to_disk(str(home / "arrow"))
    return len(table)


STEPS: dict[str, Callable[[Path, Path], int]] = {
    "build": build,
    "import": take_in,
    "import, stock": stock_import,
    "freeze": freeze,
    "export": export,
    "convert": convert,
    "convert, stock": stock_convert,
}


def measured(step: str, home: Path, file: Path) -> tuple[int, float, float]:
    """(rows, seconds, peak MB) of one step in a process of its own; the start of Python is not counted."""
    command = [sys.executable, "-m", "benchmarks.data", "--step", step, "--home", str(home), "--file", str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows, seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return int(rows), float(seconds), float(peak)


def child(step: str, home: Path, file: Path) -> None:
    began = time.perf_counter()
    rows = STEPS[step](home, file)
    seconds = time.perf_counter() - began
    print(json.dumps([rows, seconds, peak()]))


def peak() -> float:
    """This process's own peak, MB (VmHWM: ru_maxrss survives fork and exec on Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--chats", type=int, nargs="+", default=[200], help="five liked answers each")
    parser.add_argument("--only", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--step")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.step:
        child(given.step, given.home, given.file)
        return
    print(describe(), "\n")
    print("| step | rows | seconds | rows/s | peak MB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for chats in given.chats if "build" in given.only else ():
            home = Path(folder) / f"chats-{chats}"
            home.mkdir()
            seed_chats(home, chats)
            show("build", *measured("build", home, home))
        for count in given.rows:
            home = Path(folder) / str(count)
            home.mkdir()
            make(file := home / "rows.jsonl", count)
            for step in [step for step in given.only if step != "build"]:
                show(step, *measured(step, home, file))


def show(step: str, rows: int, seconds: float, megabytes: float) -> None:
    print(f"| {step} | {rows:,} | {seconds:.1f} | {rows / seconds:,.0f} | {megabytes:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
