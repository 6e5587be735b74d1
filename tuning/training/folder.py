"""A job's folder: its state, its metrics, its log, the request to stop. Without torch: others read it too.

state.json      {"status": "running", "reason": {"en": "", "es": ""}, "pid": 4711, "step": 40, "steps": 120,
                 "epoch": 1.3, "tokens": 61234, "seconds": 81.2, "seconds_left": 160.0, "best_step": 40,
                 "best_loss": 1.93, "updated": "2026-11-28T03:20:11+00:00"}      whole at any moment
metrics.jsonl   {"step": 12, "epoch": 0.4, "loss": 2.1, "learning_rate": 0.0005, "tokens": 18000,
                 "tokens_per_second": 310.5, "memory_bytes": 912000000, "seconds": 24.1, "gradient": 0.8}
                {"step": 20, "eval_loss": 2.0, "seconds": 30.2}
                {"step": 20, "samples": [{"prompt": "…", "text": "…"}]}
                {"step": 20, "resumed": true, "damaged": ["step-40: optimizer.safetensors has changed"]}
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

CONFIG, TRAIN, VALIDATION = "config.json", "train.jsonl", "validation.jsonl"
ADAPTER, MODEL, CHECKPOINTS, STOP, LOG = "adapter", "model", "checkpoints", "stop", "log"


class Status(StrEnum):
    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    EVALUATING = "evaluating"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        return self in (Status.DONE, Status.STOPPED, Status.FAILED)


@dataclass(frozen=True, slots=True)
class State:
    status: Status = Status.QUEUED
    reason: dict[str, str] = field(default_factory=dict, hash=False)  # {"en": sentence, "es": sentence}
    pid: int | None = None  # of the process that trains
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    tokens: int = 0  # of rows, without padding, learned from so far
    seconds: float = 0.0  # of learning, over all resumptions
    seconds_left: float | None = None
    best_step: int | None = None
    best_loss: float | None = None  # on the validation rows
    updated: str = ""  # ISO 8601, UTC

    def said(self, language: str) -> str:
        return self.reason.get(language) or self.reason.get("en", "")


class Folder:
    def __init__(self, place: Path) -> None:
        self.place = place
        self._writing = threading.Lock()

    def file(self, name: str) -> Path:
        return self.place / name

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────

    def state(self) -> State:
        """`queued` where there is none yet, or what is there is not understood."""
        try:
            row = json.loads(self.file("state.json").read_text(encoding="utf-8"))
            return State(**{**row, "status": Status(row["status"])})
        except (OSError, ValueError, KeyError, TypeError):
            return State()

    def say(self, **changed: Any) -> State:
        """The state with these fields, written as a whole."""
        with self._writing:
            state = replace(self.state(), **changed, updated=datetime.now(UTC).isoformat(timespec="seconds"))
            written(self.file("state.json"), json.dumps(asdict(state), ensure_ascii=False, indent=1))
        return state

    # ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────────

    def metrics(self) -> list[dict[str, Any]]:
        """Rows that are whole: the last one may be half written."""
        found = []
        with suppress(OSError), self.file("metrics.jsonl").open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with suppress(ValueError):
                    row = json.loads(line)
                    if isinstance(row, dict) and isinstance(row.get("step"), int):
                        found.append(row)
        return found

    def measured(self, **row: Any) -> None:
        with self.file("metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def forget(self, after: int) -> None:
        """Rows of later steps: they will be made again."""
        kept = [json.dumps(row, ensure_ascii=False) + "\n" for row in self.metrics() if row["step"] <= after]
        written(self.file("metrics.jsonl"), "".join(kept))

    # ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def asked_to_stop(self) -> bool:
        return self.file(STOP).exists()

    def log(self, line: str) -> None:
        with self.file(LOG).open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}\n")


class Onlooker(Folder):
    """The folder as a process sees it that only helps: it reads, and writes nothing."""

    def say(self, **changed: Any) -> State:
        return self.state()

    def measured(self, **row: Any) -> None: ...

    def forget(self, after: int) -> None: ...

    def log(self, line: str) -> None: ...


def written(file: Path, text: str) -> None:
    """Whole or not at all, and still so after the power fails."""
    half = file.with_name(f".{file.name}.{os.getpid()}.part")
    with half.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    half.replace(file)
