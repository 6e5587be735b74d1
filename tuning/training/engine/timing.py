"""A few steps of a run, measured: the real step. Run in a process of its own by tuning.counting.probe.

In, one line on standard input, of made-up rows: {"folder", "method", "batch", "length", "small", "seconds"}. Out,
lines: {"loaded": seconds} · {"step": seconds} … · {"steps", "seconds", "peak", "small_seconds", "small_peak", "load",
"precision", "device"} or {"failed": reason}. Steps over one row of `small` tokens come first: they show what a step
takes before any token. Half of each row is learned.

In, of a job: {"settings", "rows", "held", "place", "seconds"}: rows [ids, learned] in the order of its steps, some of
those held out, the disk it will lie on. Out: {"loaded"} · {"step"} … · tuning.jobs.estimating.Measured, as JSON.
Nothing that is learned is kept.
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
from tuning.errors import TuningError
from tuning.training import bases, packing
from tuning.training.bases import Base
from tuning.training.engine import base, device, guard, learners, samples
from tuning.training.engine.methods import METHODS
from tuning.training.engine.methods.trained import Trained
from tuning.training.engine.step import Learner
from tuning.training.plan import Plan
from tuning.training.rows import Row
from tuning.training.settings import Settings

STEPS = 6
WRITTEN = 8  # tokens of a sample


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    try:
        _job(asked) if "settings" in asked else _run(asked)
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
    small, small_peak = min(steps(1, asked["small"], 3)), guard.used_memory(loaded.device)
    measured = steps(asked["batch"], asked["length"], STEPS)
    _say(
        steps=len(measured), seconds=statistics.median(measured), peak=guard.used_memory(loaded.device),
        small_seconds=small, small_peak=small_peak, load=load, precision=str(loaded.compute).removeprefix("torch."),
        device=loaded.device,
    )  # fmt: skip


def _job(asked: dict[str, Any]) -> None:
    settings = Settings.model_validate(asked["settings"])
    place = Path(asked["place"])
    found = bases.find(settings.base, Path(settings.weights))
    chosen = device.choose(settings)
    free, began = guard.free_memory(chosen), time.monotonic()
    told: dict[str, Any] = {"steps": 0, "free": free, "whole": settings.method in base.WHOLE, "refused": None}
    try:
        guard.check_before(place, found.bytes, told["whole"], settings, device=chosen)
    except TuningError as error:
        _say(**{**told, "refused": {"en": error.said("en"), "es": error.said("es")}})
        return
    guard.forget_used()
    loaded = base.load(found, settings)
    trained = METHODS[settings.method](loaded, found, settings)
    told["disk"] = guard.disk_needed(found.bytes, trained.whole, settings, trained.parameters)
    told |= {"trained": trained.parameters, "device": loaded.device, "load": time.monotonic() - began}
    told["precision"] = str(loaded.compute).removeprefix("torch.")
    _say(loaded=told["load"])
    rows, held = ([_row(one) for one in asked[name]] for name in ("rows", "held"))
    if learners.way(trained, settings) == "packed":
        learner = Learner(trained, settings, _teacher(settings))
        told |= _learned(learner, settings, rows, asked["seconds"])
        told |= _looked(learner, settings, held)
    else:
        told |= _flat(trained, settings, rows, held, asked["seconds"])
    if settings.samples:
        short = settings.model_copy(update={"samples": settings.samples[:1], "sample_tokens": WRITTEN})
        start = time.monotonic()
        samples.answers(trained, found, short, _never)
        told["token_seconds"] = (time.monotonic() - start) / WRITTEN
    _say(**told, peak=guard.used_memory(chosen))


def _learned(learner: Learner, settings: Settings, rows: list[Row], seconds: float) -> dict[str, Any]:
    """Steps as the run takes them; where one alone would last too long, of as many of its rows as there is time for.

    The first row is learned from twice: the first time also makes what later ones reuse."""

    def step(some: list[Row]) -> tuple[float, int]:
        laid = _laid(learner, settings, some)
        start = time.monotonic()
        learner.learn(laid, 1e-9, _never)
        return time.monotonic() - start, max(pack.read for pack in laid)

    first, (again, small) = step(rows[:1])[0], step(rows[:1])
    small_peak, until = guard.used_memory(learner.trained.loaded.device), time.monotonic() + seconds
    fits = max(1, min(settings.batch, round(2 * seconds / max(1e-6, again / len(rows[0]) * _mean(rows)))))
    times, tokens, most, at = list[float](), 0, small, 0
    while len(times) < STEPS and at < len(rows) and (time.monotonic() < until or not times):
        some = rows[at : at + fits]
        took, read = step(some)
        times.append(took)
        tokens, most, at = tokens + sum(map(len, some)), max(most, read), at + settings.batch
        _say(step=took)
    return {
        "steps": len(times), "rows": fits, "tokens": tokens, "seconds": sum(times), "small": small, "most": most,
        "small_peak": small_peak, "first": max(0.0, first - again),
    }  # fmt: skip


def _looked(learner: Learner, settings: Settings, held: list[Row]) -> dict[str, Any]:
    start = time.monotonic()
    if held:
        learner.evaluate(_laid(learner, settings, held), _never)
    return {"held_tokens": sum(map(len, held)), "held_seconds": time.monotonic() - start}


def _flat(trained: Trained, settings: Settings, rows: list[Row], held: list[Row], seconds: float) -> dict[str, Any]:
    """Sheets are read whole, so the first step is measured as the others are; compiling is in what it takes more."""
    plan = Plan(rows, settings.model_copy(update={"max_steps": STEPS}))
    learner = learners.make(trained, settings, plan, held, say=lambda _: None)
    times, tokens, until = list[float](), list[int](), time.monotonic() + seconds
    while len(times) < 2 or (len(times) <= STEPS and time.monotonic() < until):
        start = time.monotonic()
        done = [*learner.step(len(times), 1e-9, _never), *learner.rest()]
        times.append(time.monotonic() - start)
        tokens.append(sum(one.tokens for one in done))
        _say(step=times[-1])
    start = time.monotonic()
    if held:
        learner.held(_never)
    looked = {"held_tokens": sum(map(len, held)), "held_seconds": time.monotonic() - start}
    learner.close()
    peak = guard.used_memory(trained.loaded.device)
    return looked | {
        "steps": len(times) - 1, "rows": settings.batch, "tokens": sum(tokens[1:]), "seconds": sum(times[1:]),
        "small": plan.tokens, "most": plan.tokens, "small_peak": peak, "first": max(0.0, times[0] - min(times[1:])),
    }  # fmt: skip


def _laid(learner: Learner, settings: Settings, rows: list[Row]) -> list[packing.Pack]:
    packs = learner.trained.loaded.packs
    return packing.packed(rows, settings.pack_tokens if packs else 0, share=settings.share_prefix and packs)


def _teacher(settings: Settings) -> Any:
    if settings.teacher is None:
        return None
    found = bases.find(settings.teacher.base, Path(settings.weights))
    taught = base.load(found, settings.model_copy(update={"method": "lora"}))
    taught.model.eval()
    return taught


def _row(one: Any) -> Row:
    ids, learn = one
    return Row(tuple(ids), tuple(map(bool, learn)))


def _mean(rows: list[Row]) -> float:
    return sum(map(len, rows)) / len(rows)


def _never() -> bool:
    return False


def _say(**row: Any) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
