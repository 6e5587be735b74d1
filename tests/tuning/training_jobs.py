"""Jobs to be trained: Marv's rows, a tiny model of bytes, and the same job run here or in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tuning.rows import to_row
from tuning.samples import SAMPLES
from tuning.training.folder import Folder
from tuning.values import Example, Role, Turn, conversation

ROOT = Path(__file__).parent.parent.parent


def marv(many: int, first: int = 0) -> list[Example]:
    lines = SAMPLES["marv"].read_text(encoding="utf-8").splitlines()[first : first + many]
    return [
        conversation(*(Turn(Role(one["role"]), one["content"]) for one in json.loads(line)["messages"]))
        for line in lines
    ]


def job(
    place: Path, weights: Path, base: str, rows: Sequence[Example] = (), held: Sequence[Example] = (), **said: Any
) -> Folder:
    place.mkdir(parents=True, exist_ok=True)
    for name, some in (("train.jsonl", rows or marv(12)), ("validation.jsonl", held)):
        if some:
            (place / name).write_text("".join(json.dumps(to_row(one)) + "\n" for one in some), encoding="utf-8")
    settings = {"base": base, "weights": str(weights), **said}
    (place / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return Folder(place)


def here(folder: Folder) -> int:
    """The whole of it, in this process."""
    from tuning.training.__main__ import main

    return main([str(folder.place)])


def process(folder: Folder) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", "-m", "tuning.training", str(folder.place)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Born:
    """A job in a process of its own, as subprocess.Popen has it."""

    def __init__(self, pid: int, ended: dict[int, int]) -> None:
        self.pid, self._ended = pid, ended

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float = 120) -> int:
        until(lambda: self.pid in self._ended, seconds)
        return self._ended[self.pid]


class Nursery:
    """Begins jobs without importing torch for each (tests.tuning.nursery)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.tuning.nursery"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
        )  # fmt: skip
        self._ended = dict[int, int]()
        self._born = list[int]()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def begin(self, folder: Folder) -> Born:
        before = len(self._born)
        assert self._process.stdin
        print(folder.place, file=self._process.stdin, flush=True)
        until(lambda: len(self._born) > before)
        return Born(self._born[-1], self._ended)

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._reading.join(10)
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            kind, pid, *code = line.split()
            if kind == "pid":
                self._born.append(int(pid))
            else:
                self._ended[int(pid)] = int(code[0])


def until(what: Callable[[], Any], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def losses(folder: Folder) -> dict[int, float]:
    return {row["step"]: row["loss"] for row in folder.metrics() if "loss" in row}


def last(folder: Folder) -> int:
    return max(losses(folder), default=0)
