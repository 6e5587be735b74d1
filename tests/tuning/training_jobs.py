"""Jobs to be trained: Marv's rows, a tiny model of bytes, and the same job run here or in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tuning.rows import to_row
from tuning.samples import SAMPLES
from tuning.training.folder import Folder
from tuning.values import Example, Role, Turn, conversation


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


def until(what: Callable[[], Any], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def losses(folder: Folder) -> dict[int, float]:
    return {row["step"]: row["loss"] for row in folder.metrics() if "loss" in row}


def last(folder: Folder) -> int:
    return max(losses(folder), default=0)
