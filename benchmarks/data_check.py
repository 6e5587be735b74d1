"""Checking training files: rows a second and peak memory at 1,000, 100,000 and 1,000,000 rows.

    python -m benchmarks.data_check [--rows 1000 100000 1000000] [--validation]

Rows are made up (tests/tuning/generated.py): chats of three messages, some 430 bytes each, none twice; one in a hundred
has a fault, as files have. Each file is checked in a process of its own on one core, whose peak memory is the system's
own figure; "rows/s of CPU" leaves out the time in which other programs had the core. "stock" is what people write:
json.loads for each line and the checks of roles and contents, without lines, fields, duplicate keys or anything else.
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

from benchmarks.machine import describe
from tests.tuning.generated import plain_rows
from tuning.checking import Summary, check

FAULTS = (
    b'{"messages": [{"role": "user", "content": "hi"}]}\n',
    b'{"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": "yes"}]}\n',
    b'{"messages": [{"role": "bot", "content": "hi"}, {"role": "assistant", "content": "yes"}],}\n',
)


def make(path: Path, rows: int) -> None:
    with path.open("wb") as file:
        for seed in range(0, rows, 10_000):
            some = plain_rows(min(10_000, rows - seed), seed)
            for at in range(99, len(some), 100):
                some[at] = FAULTS[at // 100 % len(FAULTS)]
            file.writelines(some)


def ours(path: Path, validation: Path | None) -> int:
    found = list_last(path, validation)
    return found.errors + found.warnings


def list_last(path: Path, validation: Path | None) -> Summary:
    last = None
    for last in check(path, "openai", validation=validation):  # noqa: B007 - the last thing is the summary
        pass
    assert isinstance(last, Summary)
    return last


def stock(path: Path, validation: Path | None) -> int:
    problems = 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                messages = json.loads(line).get("messages")
            except ValueError:
                problems += 1
                continue
            if not isinstance(messages, list) or not messages:
                problems += 1
                continue
            for message in messages:
                problems += message.get("role") not in ("system", "user", "assistant", "tool", "function")
                problems += not isinstance(message.get("content"), str) or not message["content"]
            problems += not any(message.get("role") == "assistant" for message in messages)
    return problems


CHECKERS: dict[str, Callable[[Path, Path | None], int]] = {"ours": ours, "stock": stock}


def measure(name: str, path: Path, validation: Path | None) -> None:
    """Run in a process of its own; prints problems, seconds, peak bytes."""
    before = peak()
    started, worked = time.perf_counter(), time.process_time()
    problems = CHECKERS[name](path, validation)
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    print(json.dumps({"problems": problems, "seconds": seconds, "work": work, "before": before, "peak": peak()}))


def peak() -> int:
    """The most memory that this process has held, in bytes (Linux; 0 elsewhere). getrusage would count its parent's."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Rows a second and peak memory of checking.")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--validation", action="store_true", help="with a validation file of a tenth of the rows")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        name, path, validation = arguments.measure
        measure(name, Path(path), Path(validation) if validation else None)
        return
    print(describe(), end="\n\n")
    print("| rows | MB | checker | problems | s | rows/s | rows/s of CPU | peak MiB | of it before the file |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for rows in arguments.rows:
            path, validation = Path(folder) / "train.jsonl", Path(folder) / "validation.jsonl"
            make(path, rows)
            if arguments.validation:
                validation.write_bytes(b"".join(plain_rows(rows // 10, seed=-1)))
            for name in CHECKERS:
                report(rows, path, name, validation if arguments.validation else None)


def report(rows: int, path: Path, name: str, validation: Path | None) -> None:
    """The best of three runs: other work on the machine only ever makes it slower."""
    command = [sys.executable, "-m", "benchmarks.data_check", "--measure", name, str(path), str(validation or "")]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(3)]
    best = min(runs, key=lambda run: float(run["seconds"]))
    print(
        f"| {rows:,} | {path.stat().st_size / 1e6:.0f} | {name} | {best['problems']:,} | {best['seconds']:.2f} "
        f"| {rows / best['seconds']:,.0f} | {rows / best['work']:,.0f} "
        f"| {best['peak'] / 2**20:.0f} | {best['before'] / 2**20:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
