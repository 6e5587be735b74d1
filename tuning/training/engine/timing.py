"""A few steps of a run, measured: the real step, on made-up rows. Run in a process of its own by tuning.counting.probe.

In, one line on standard input: {"folder", "method", "batch", "length", "small", "seconds"}. Out, lines:
{"loaded": seconds} · {"step": seconds} … · {"steps", "seconds", "peak", "small_seconds", "small_peak", "load",
"precision", "device"} or {"failed": reason}. Steps over one row of `small` tokens come first: they show what a step
takes before any token. Half of each row is learned. Nothing that is learned is kept.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from tuning.counting.tokens import Rule, RuleCounter
from tuning.training import packing
from tuning.training.bases import Base
from tuning.training.engine import base, guard
from tuning.training.engine.methods import METHODS
from tuning.training.engine.step import Learner
from tuning.training.rows import Row
from tuning.training.settings import Settings

STEPS = 6


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    try:
        _run(asked)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        _say(failed=guard.said(error, None, Path())[0] if guard.is_memory(error) else reason)


def _run(asked: dict[str, Any]) -> None:
    began = time.monotonic()
    settings = Settings(weights="", method=asked["method"], pack_tokens=max(16, asked["batch"] * asked["length"]))
    made = Base("probe", Path(asked["folder"]), RuleCounter("probe", Rule.OWN), "probe")
    loaded = base.load(made, settings)
    learner = Learner(METHODS[settings.method](loaded, made, settings), settings)
    vocabulary = loaded.model.get_input_embeddings().weight.shape[0]
    load = time.monotonic() - began
    _say(loaded=load)
    until = time.monotonic() + asked["seconds"]

    def steps(batch: int, length: int, most: int) -> list[float]:
        """The first one of a shape also makes what later ones reuse: left out where there are more."""
        drawn, times = random.Random(7), list[float]()
        learn = tuple(at >= length // 2 for at in range(length))
        rows = [Row(tuple(drawn.choices(range(vocabulary), k=length)), learn) for _ in range(batch)]
        packs = packing.packed(rows, settings.pack_tokens if loaded.packs else 0)
        while len(times) < most and (time.monotonic() < until or not times):
            start = time.monotonic()
            learner.learn(packs, 1e-4, lambda: False)
            times.append(time.monotonic() - start)
            _say(step=times[-1])
        return times[1:] or times

    guard.forget_used()
    small, small_peak = min(steps(1, asked["small"], 3)), guard.used_memory()
    measured = steps(asked["batch"], asked["length"], STEPS)
    _say(
        steps=len(measured), seconds=statistics.median(measured), peak=guard.used_memory(), small_seconds=small,
        small_peak=small_peak, load=load, precision=str(loaded.compute).removeprefix("torch."), device=loaded.device,
    )  # fmt: skip


def _say(**row: Any) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
