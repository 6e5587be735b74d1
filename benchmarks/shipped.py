"""In: the name of a sample that ships (marv, marv-es). Out: its rows in three parts; a job by a recipe on them, in a
process of its own, and what it measured.

    learn     the sample's first rows, 50 of marv and 26 of marv-es
    choose    the sample's other rows: rates and checkpoints are chosen by their loss
    report    benchmarks.unseen, the questions of use "ask": nothing is learned from them or chosen by them
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.service.settings import Settings as AppSettings
from tuning.rows import to_row
from tuning.samples import SAMPLES
from tuning.training import recipes
from tuning.training.folder import CONFIG, TRAIN, VALIDATION, Folder
from tuning.training.settings import Settings, read
from tuning.values import Example, Kind, Role, Turn, conversation

LEARN = {"marv": 50, "marv-es": 26}
TOOK = "took"  # seconds, in a job's folder


@dataclass(frozen=True, slots=True)
class Trained:
    folder: Folder
    settings: Settings
    parameters: int
    bytes: int  # of the weights that were written
    steps: int
    best: int  # the step whose weights were written
    tokens: int
    seconds: float  # of learning
    whole: float  # with the process's start, loading and writing
    peak: int  # bytes
    losses: tuple[tuple[int, float], ...]  # (step, loss) of the rows to choose by, from step 0 on

    @property
    def written(self) -> Path:
        return next(self.folder.place.glob("*/afina_run.json")).parent


def parts(sample: str) -> tuple[list[Example], list[Example]]:
    """(learn, choose)"""
    rows = [json.loads(line)["messages"] for line in SAMPLES[sample].read_text(encoding="utf-8").splitlines()]
    made = [conversation(*(Turn(Role(turn["role"]), turn["content"]) for turn in row)) for row in rows]
    return made[: LEARN[sample]], made[LEARN[sample] :]


def as_texts(examples: Sequence[Example]) -> list[Example]:
    return [Example(Kind.TEXT, text="\n".join(one.texts)) for one in examples]


def settings(recipe: str, said: Mapping[str, Any]) -> Settings:
    """What a person gets from the form: the recipe, and what is said beside it."""
    made = recipes.settings(recipe, weights=str(AppSettings().weights))
    teacher = {"teacher": {"base": made.base}} if recipe == "distil" else {}
    return Settings.model_validate({**made.model_dump(), **teacher, **merged(made.model_dump(), said)})


def merged(made: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """{"lora.r": 8} → {"lora": {…, "r": 8}}"""
    found: dict[str, Any] = {}
    for name, value in said.items():
        part, dot, field = name.partition(".")
        found[part] = {**(found.get(part) or made[part] or {}), field: value} if dot else value
    return found


def train(place: Path, recipe: str, sample: str, said: Mapping[str, Any]) -> Trained:
    """A job that lies there, done and with the same settings, is taken as it is."""
    asked, folder = settings(recipe, said), Folder(place)
    if folder.file(TOOK).exists() and read(folder.file(CONFIG)) == asked:
        return _measured(folder, asked, float(folder.file(TOOK).read_text(encoding="utf-8")))
    _laid_out(place, asked, parts(sample))
    began = time.perf_counter()
    command = [sys.executable, "-W", "ignore", "-m", "tuning.training", str(place)]
    ended = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if ended.returncode:
        raise SystemExit(f"{recipe} {dict(said)}: {folder.state().said('en')}")
    took = time.perf_counter() - began
    folder.file(TOOK).write_text(f"{took:.3f}", encoding="utf-8")
    return _measured(folder, asked, took)


def _laid_out(place: Path, asked: Settings, both: Sequence[list[Example]]) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, some in zip((TRAIN, VALIDATION), both, strict=True):
        rows = as_texts(some) if asked.recipe == "text" else some
        (place / name).write_text("".join(json.dumps(to_row(one)) + "\n" for one in rows), encoding="utf-8")
    (place / CONFIG).write_text(asked.model_dump_json(), encoding="utf-8")


def _measured(folder: Folder, asked: Settings, whole: float) -> Trained:
    state, metrics = folder.state(), folder.metrics()
    facts = json.loads(next(folder.place.glob("*/afina_run.json")).read_text(encoding="utf-8"))
    files = [file for kind in ("adapter", "model") for file in folder.file(kind).glob("*.safetensors")]
    return Trained(
        folder, asked, facts["parameters"], sum(file.stat().st_size for file in files), state.steps,
        state.best_step or state.steps, state.tokens, state.seconds, whole,
        max((row["memory_bytes"] for row in metrics if "memory_bytes" in row), default=0),
        tuple((row["step"], row["eval_loss"]) for row in metrics if "eval_loss" in row),
    )  # fmt: skip


def given(said: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE, as the command line has them; a value that is no JSON is a word."""
    found: dict[str, Any] = {}
    for one in said:
        name, _, value = one.partition("=")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
