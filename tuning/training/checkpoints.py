"""Checkpoints of a job: written whole or not at all, taken only where every byte is as it was written.

    checkpoints/step-40/
      weights.safetensors      what is trained, float32, by the names of the parameters
      optimizer.safetensors    AdamW's two moments, as "first.<name>" and "second.<name>"; the generator's state
      progress.json            step, tokens, seconds, best so far, the settings' fingerprint
      manifest.json            {file: {"bytes", "sha256"}}, written last

What is trained and how lies in the files' owner (engine.run); here they are bytes. No pickle is written or read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.training.folder import written

MANIFEST, PROGRESS = "manifest.json", "progress.json"
LARGEST_TEXT = 10_000_000  # bytes of a JSON file
_NAME = re.compile(r"step-(\d+)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    step: int
    place: Path
    progress: dict[str, Any]


def write(folder: Path, step: int, progress: dict[str, Any], fill: Callable[[Path], None]) -> Path:
    """`fill` writes the files into the folder it is given. OSError where the disk is full; then nothing has changed."""
    place, stage = folder / f"step-{step}", folder / f".step-{step}.part"
    shutil.rmtree(stage, ignore_errors=True)
    try:
        stage.mkdir(parents=True)
        fill(stage)
        (stage / PROGRESS).write_text(json.dumps({**progress, "step": step}, indent=1), encoding="utf-8")
        files = sorted(file for file in stage.iterdir() if file.is_file())
        manifest = {file.name: {"bytes": file.stat().st_size, "sha256": _sum(file)} for file in files}
        for file in files:
            _kept(file)
        written(stage / MANIFEST, json.dumps(manifest, indent=1))
        shutil.rmtree(place, ignore_errors=True)
        stage.rename(place)
        with suppress(OSError):  # Windows has no such thing
            _kept(folder)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    return place


def newest(folder: Path, fingerprint: str) -> tuple[Checkpoint | None, list[str]]:
    """The newest valid one of these settings, and what was wrong with newer ones, a line each."""
    damaged = list[str]()
    for step, place in _all(folder):
        try:
            found = read(place)
            if found.step != step:
                raise ValueError("it is of another step than its name says")
            if found.progress.get("settings") != fingerprint:
                raise ValueError("it was made with other settings or rows")
            return found, damaged
        except (OSError, ValueError) as error:
            damaged.append(f"{place.name}: {getattr(error, 'strerror', None) or error}")
    return None, damaged


def read(place: Path) -> Checkpoint:
    """ValueError or OSError says what is wrong with it."""
    manifest = _json(place / MANIFEST)
    if PROGRESS not in manifest or not any(name.endswith(".safetensors") for name in manifest):
        raise ValueError(f"{MANIFEST} names no weights")
    for name, said in manifest.items():
        if Path(name).name != name or not isinstance(said, dict):
            raise ValueError(f"{MANIFEST} names {name!r}, which is no file of a checkpoint")
        file = place / name
        if not file.is_file() or file.is_symlink():
            raise ValueError(f"{name} is missing")
        if file.stat().st_size != said.get("bytes"):
            raise ValueError(f"{name} has {file.stat().st_size} bytes instead of {said.get('bytes')}")
        if _sum(file) != said.get("sha256"):
            raise ValueError(f"{name} has changed since it was written")
    progress = _json(place / PROGRESS)
    if not isinstance(progress.get("step"), int):
        raise ValueError(f"{PROGRESS} has no step")
    return Checkpoint(progress["step"], place, progress)


def prune(folder: Path, keep: int, best: int | None) -> None:
    """All but the newest `keep` and the best one go; half-written ones too."""
    for _, place in [one for at, one in enumerate(_all(folder)) if at >= keep and one[0] != best]:
        shutil.rmtree(place, ignore_errors=True)
    for half in folder.glob(".step-*.part"):
        shutil.rmtree(half, ignore_errors=True)


def _all(folder: Path) -> list[tuple[int, Path]]:
    """The newest first."""

    def found() -> Iterator[tuple[int, Path]]:
        for place in folder.iterdir() if folder.is_dir() else ():
            if (named := _NAME.fullmatch(place.name)) and place.is_dir() and not place.is_symlink():
                yield int(named[1]), place

    return sorted(found(), reverse=True)


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file() or file.stat().st_size > LARGEST_TEXT:
        raise ValueError(f"{file.name} is missing or too long")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, RecursionError, ValueError):
        raise ValueError(f"{file.name} is no JSON") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file.name} is no JSON object")
    return content


def _sum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _kept(file: Path) -> None:
    """On the disk itself."""
    opened = os.open(file, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
